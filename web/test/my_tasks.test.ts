import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import { ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import {
  type Task,
  TaskKind,
  TaskOutcome,
  TaskPriority,
  TaskSchema,
  TaskStatus,
} from "@docket/contracts/gen/docket/document/v1/task_pb.ts";
import { TaskService } from "@docket/contracts/gen/docket/document/v1/task_service_pb.ts";
import { DocumentService } from "@docket/contracts/gen/docket/document/v1/document_service_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { describe, expect, it, vi } from "vitest";
import TasksPage from "~/components/tasks/TasksPage.vue";
import { anna, harbour, openPortal, refusal, requestsOf } from "./portal.ts";

const noon = Date.UTC(2026, 10, 21, 12);
const mine = { assignee: { assignee: { case: "personId" as const, value: anna.id } } };
const ours = { assignee: { assignee: { case: "groupId" as const, value: "group" } } };

function taskOf(id: string, init: Omit<MessageInitShape<typeof TaskSchema>, "$typeName"> = {}): Task {
  const usual = { id, title: id, workspaceId: harbour.id, status: TaskStatus.OPEN, kind: TaskKind.TODO, ...mine };
  return create(TaskSchema, Object.assign(usual, init));
}
const on = (day: number) => ({ year: 2026, month: 11, day });

/** An edge with these tasks, which it completes and opens again. */
function edgeWith(tasks: Task[], refuse?: () => never) {
  const kept = new Map(tasks.map((task) => [task.id, task]));
  const change = (taskId: string, status: TaskStatus) => {
    refuse?.();
    const task = { ...(kept.get(taskId) as Task), status };
    kept.set(taskId, task);
    return { task };
  };
  const routes = (router: ConnectRouter) => {
    router.service(TaskService, {
      listTasks({ pageToken, pageSize, statuses }) {
        const all = [...kept.values()].filter(({ status }) => statuses.length === 0 || statuses.includes(status));
        const from = Number(pageToken || 0);
        const to = from + pageSize;
        return { tasks: all.slice(from, to), nextPageToken: to < all.length ? String(to) : "" };
      },
      getTask: ({ taskId }) => ({ task: kept.get(taskId) }),
      completeTask: ({ taskId }) => change(taskId, TaskStatus.COMPLETED),
      reopenTask: ({ taskId }) => change(taskId, TaskStatus.OPEN),
    });
    router.service(DocumentService, {
      getDocument: ({ documentId }) => ({ document: { id: documentId, title: `Title of ${documentId}` } }),
    });
  };
  return { kept, routes };
}

const many = (n: number) => Array.from({ length: n }, (_, at) => taskOf(`task ${at}`));

describe("my tasks", () => {
  it("are all loaded, however many pages they are", async () => {
    await using portal = await openPortal({ routes: edgeWith(many(450)).routes });
    const my = await portal.run(() => useMyTasks());
    await my.load();
    expect(my.tasks.value).toHaveLength(450);
    expect(my.more.value).toBe(false);
    const [asked] = requestsOf(portal.calls, TaskService.method.listTasks);
    expect(asked).toMatchObject({ assignedToMe: true, statuses: [TaskStatus.OPEN, TaskStatus.IN_PROGRESS] });
    expect(asked?.place.case).toBeUndefined();
  });

  it("are loaded up to a bound, and it is said that there are more", async () => {
    await using portal = await openPortal({ routes: edgeWith(many(mostTasks + 1)).routes });
    const my = await portal.run(() => useMyTasks());
    await my.load();
    expect(my.tasks.value).toHaveLength(mostTasks);
    expect(my.more.value).toBe(true);
  });

  it("leave the list at once when they are completed", async () => {
    const [task] = many(1);
    await using portal = await openPortal({ routes: edgeWith(many(3)).routes });
    const my = await portal.run(() => useMyTasks());
    await my.load();
    const done = my.complete(task as Task);
    expect(my.tasks.value?.map(({ id }) => id)).toEqual(["task 1", "task 2"]);
    await done;
    expect(my.tasks.value).toHaveLength(2);
    await my.reopen(task as Task);
    expect(my.tasks.value).toHaveLength(3);
  });

  it("come back when completing them is refused", async () => {
    const { routes } = edgeWith(many(2), () => {
      throw refusal(Reason.TRASHED, { code: Code.FailedPrecondition });
    });
    await using portal = await openPortal({ routes });
    const my = await portal.run(() => useMyTasks());
    await my.load();
    await expect(my.complete(my.tasks.value?.[0] as Task)).rejects.toThrow();
    expect(my.tasks.value).toHaveLength(2);
  });

  it("are approved with the digest of what they are about", async () => {
    const digest = Uint8Array.of(1, 2, 3);
    const approval = taskOf("approval", {
      kind: TaskKind.APPROVAL,
      pin: { documentId: "document", versionNumber: 3, digest },
    });
    await using portal = await openPortal({ routes: edgeWith([approval]).routes });
    const my = await portal.run(() => useMyTasks());
    await my.load();
    await my.complete(my.tasks.value?.[0] as Task, TaskOutcome.APPROVED);
    const [asked] = requestsOf(portal.calls, TaskService.method.completeTask);
    expect(asked).toMatchObject({ taskId: "approval", outcome: TaskOutcome.APPROVED });
    expect([...(asked?.digest ?? [])]).toEqual([1, 2, 3]);
  });

  it("are listed once for many changes of others, and not for what does not bear on them", async () => {
    const edge = edgeWith([taskOf("a", { pin: { documentId: "document 1" } })]);
    await using portal = await openPortal({ routes: edge.routes });
    const my = await portal.run(() => useMyTasks());
    await my.load();
    const before = portal.calls.length;
    portal.tell({ kind: ChangeKind.DOCUMENT_UPDATED, documentId: "document 1" });
    portal.tell({ kind: ChangeKind.VERSION_CREATED, documentId: "another" });
    edge.kept.set("b", taskOf("b"));
    for (let n = 0; n < 5; n++) portal.tell({ kind: ChangeKind.TASK_CREATED, taskId: "b" });
    await vi.waitFor(() => expect(my.tasks.value).toHaveLength(2), { timeout: 5000 });
    expect(portal.calls.length).toBe(before + 1);
  });

  it("say what went wrong when they cannot be listed", async () => {
    await using portal = await openPortal({
      routes: (router) =>
        router.service(TaskService, {
          listTasks: () => {
            throw refusal(Reason.UNAVAILABLE, { code: Code.Unavailable });
          },
        }),
    });
    const my = await portal.run(() => useMyTasks());
    await my.load();
    expect(my.fault.value).toMatchObject({ reason: Reason.UNAVAILABLE, retryable: true });
  });
});

describe("groups of tasks", () => {
  it("are by the day in the zone of each task's workspace, the urgent first", async () => {
    const kiritimati = { id: "kiritimati", name: "Kiritimati", timeZone: "Pacific/Kiritimati" };
    await using portal = await openPortal({ visitor: { workspaces: [harbour, kiritimati] } });
    const { grouped } = await portal.run(() => {
      useReader().value = { now: noon, timeZone: "", locale: "" };
      return useTaskGroups();
    });
    const groups = grouped([
      taskOf("none"),
      taskOf("tomorrow", { dueDate: on(22) }),
      taskOf("today", { dueDate: on(21) }),
      taskOf("today, urgent", { dueDate: on(21), priority: TaskPriority.URGENT }),
      taskOf("over there it is tomorrow already", { dueDate: on(21), workspaceId: kiritimati.id }),
      taskOf("last year", { dueDate: { year: 2025, month: 12, day: 31 } }),
    ]);
    expect(groups.map(({ name, tasks }) => [name, tasks.map(({ id }) => id)])).toEqual([
      ["overdue", ["last year", "over there it is tomorrow already"]],
      ["today", ["today, urgent", "today"]],
      ["later", ["tomorrow"]],
      ["undated", ["none"]],
    ]);
  });

  it("are chosen by workspace, and by whose they are", () => {
    const [own, group] = [taskOf("own"), taskOf("group", { ...ours, workspaceId: "other" })];
    const chosen = (choice: TaskChoice) => [own, group].filter((task) => isChosen(task, choice)).map(({ id }) => id);
    expect(chosen({ workspaceId: "", whose: "" })).toEqual(["own", "group"]);
    expect(chosen({ workspaceId: "", whose: "me" })).toEqual(["own"]);
    expect(chosen({ workspaceId: "", whose: "groups" })).toEqual(["group"]);
    expect(chosen({ workspaceId: harbour.id, whose: "groups" })).toEqual([]);
  });
});

describe("the titles of documents", () => {
  it("are asked for once each, also by two who ask at the same time", async () => {
    await using portal = await openPortal({ routes: edgeWith([]).routes });
    const one = await portal.run(() => useDocumentTitles());
    const two = await portal.run(() => useDocumentTitles());
    const ids = Array.from({ length: 20 }, (_, n) => `document ${n}`);
    await Promise.all([
      one.know(ids),
      two.know(ids.slice(10)).then(() => expect(two.titles.value["document 19"]).toBe("Title of document 19")),
    ]);
    expect(one.titles.value["document 0"]).toBe("Title of document 0");
    expect(requestsOf(portal.calls, DocumentService.method.getDocument)).toHaveLength(20);
  });
});

describe("the page of my tasks", () => {
  const choice = { workspaceId: "", whose: "" as const };

  it("completes with x, moves the focus on, and goes with the arrows", async () => {
    await using portal = await openPortal({ routes: edgeWith(many(3)).routes });
    const page = await portal.mount(TasksPage, { props: { choice }, attachTo: document.body });
    await vi.waitFor(() => expect(page.findAll("[data-task]")).toHaveLength(3), { timeout: 5000 });
    const focused = () => (document.activeElement as HTMLElement | null)?.dataset.taskId;
    const rows = page.findAll("[data-task]");
    (rows[0]?.element as HTMLElement | undefined)?.focus();
    const first = focused();
    await rows[0]?.trigger("keydown", { key: "ArrowDown" });
    const second = focused();
    expect(second).not.toBe(first);
    await page.find(`[data-task-id="${second}"]`).trigger("keydown", { key: "x" });
    await vi.waitFor(() => expect(page.findAll("[data-task]")).toHaveLength(2), { timeout: 5000 });
    const { toasts } = await portal.run(() => useToast());
    await vi.waitFor(() => expect(toasts.value.at(-1)?.title).toBe(`Completed: ${second}`), { timeout: 5000 });
    expect(requestsOf(portal.calls, TaskService.method.completeTask)).toMatchObject([{ taskId: second }]);
    expect(focused()).not.toBe(first);
    expect(focused()).not.toBe(second);
  });

  it("says in a friendly way that there is nothing to do", async () => {
    await using portal = await openPortal({ routes: edgeWith([]).routes });
    const page = await portal.mount(TasksPage, { props: { choice } });
    await vi.waitFor(() => expect(page.text()).toContain("Nothing to do"), { timeout: 5000 });
  });
});
