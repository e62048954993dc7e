import { fromBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Change, ChangeKind, ChangeSchema } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import type { Task } from "@docket/contracts/gen/docket/document/v1/task_pb.ts";
import { TaskService } from "@docket/contracts/gen/docket/document/v1/task_service_pb.ts";
import { PrincipalKind } from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";
import { readChanges } from "@docket/runtime/changelog/read";
import type { MembershipCache } from "@docket/runtime/membership";
import type { Job } from "@docket/runtime/queue/worker";
import { eventually } from "@docket/runtime/testing/eventually";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import type { Clients } from "../clients.ts";
import { createEvents } from "../events.ts";
import { reminderMailJob, tellDue } from "../jobs/reminders.ts";
import type { DocumentDatabase, Tables } from "../store/entities.ts";
import { openBeside } from "./beside.ts";
import { toGroup, toPerson } from "./task_world.ts";
import { at, on, startWorld, type World } from "./world.ts";

/** In 2050, so that the service's own worker, whose time is the real one, tells of nothing. */
const day = (date: number) => ({ year: 2050, month: 11, day: date });
const text = (date: number) => `2050-11-${date}`;

/** What a task is made with; without a place it stands alone. */
interface Made {
  readonly title: string;
  readonly dueDate: ReturnType<typeof day>;
  readonly place?: ReturnType<typeof on> | ReturnType<typeof at>;
  readonly assignee?: ReturnType<typeof toPerson> | ReturnType<typeof toGroup>;
}

/** Tells of what is due at a moment, as the worker of a replica would. */
async function sweep(
  world: World,
  db: DocumentDatabase,
  moment: string,
  clients: Pick<Clients, "memberships" | "notifications"> = world.users.clients(),
): Promise<void> {
  const run = tellDue(
    {
      db,
      clients,
      membership: {} as MembershipCache,
      events: createEvents(world.log.logger),
      clock: () => new Date(moment),
    },
    "08:00",
  );
  await run({} as Job<Tables>, db, new AbortController().signal);
}

/** A world in Berlin with one member, and the changes that say that tasks are due. */
async function startMorning() {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(await temporaryFolder());
  const world = parts.use(await startWorld({ folder: folder.path }));
  const db = parts.use(await openBeside(folder.path));
  const ann = await world.person("member");
  const tasks = world.client(TaskService);
  const told = async (): Promise<Change[]> =>
    (await readChanges(db, world.workspaceId, 0, 1000))
      .map(({ payload }) => fromBinary(ChangeSchema, payload))
      .filter(({ kind }) => kind === ChangeKind.TASK_DUE);
  const running = parts.move();
  return {
    world,
    db,
    ann,
    tasks,
    told,
    /** What a look at a moment tells anew. */
    async look(moment: string): Promise<Change[]> {
      const before = (await told()).length;
      await sweep(world, db, moment);
      return (await told()).slice(before);
    },
    async task(values: Made): Promise<Task> {
      const { task } = await tasks.createTask({ place: at(world.workspaceId), ...values }, ann.as);
      if (task === undefined) throw new Error("no task");
      return task;
    },
    /** The mails asked for, once all jobs are done. */
    async mails() {
      const jobs = db.query.selectFrom("job").select("id").where("kind", "=", reminderMailJob);
      await eventually(async () => expect(await jobs.execute()).toEqual([]));
      return [...world.users.mails.values()];
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

const spoken = ({ taskId, taskDue }: Change) => [taskId, taskDue?.dueDate?.day, taskDue?.overdue];

describe("a task that is due", () => {
  it("is told of in the morning of its day, and once more when it is overdue", async () => {
    await using it = await startMorning();
    const task = await it.task({ title: "Paint", dueDate: day(21), assignee: toPerson(it.ann) });
    const later = await it.task({ title: "Later", dueDate: day(22) });
    expect(await it.look("2050-11-21T06:59:00Z")).toEqual([]);
    const [due, ...others] = await it.look("2050-11-21T07:00:00Z");
    expect(others).toEqual([]);
    expect(due).toMatchObject({ taskId: task.id, etag: task.etag });
    expect(due?.taskDue).toMatchObject({ overdue: false, dueDate: day(21), assignee: toPerson(it.ann) });
    expect(due?.actor).toBeUndefined();
    expect(await it.look("2050-11-21T22:00:00Z")).toEqual([]);
    const next = (await it.look("2050-11-22T07:00:00Z")).map(spoken);
    expect(new Set(next.map(String))).toEqual(new Set([String([task.id, 21, true]), String([later.id, 22, false])]));
    expect((await it.look("2050-11-25T12:00:00Z")).map(spoken)).toEqual([[later.id, 22, true]]);
    expect(await it.look("2050-12-25T12:00:00Z")).toEqual([]);
    const { task: unchanged } = await it.tasks.getTask({ taskId: task.id }, it.ann.as);
    expect(unchanged).toEqual(task);
  });

  it("is not told of when it is completed, and again when its due date moves", async () => {
    await using it = await startMorning();
    const completed = await it.task({ title: "Done", dueDate: day(21) });
    const moved = await it.task({ title: "Moved", dueDate: day(21) });
    await it.tasks.completeTask({ taskId: completed.id }, it.ann.as);
    expect((await it.look("2050-11-21T08:00:00Z")).map(spoken)).toEqual([[moved.id, 21, false]]);
    const move = { taskId: moved.id, dueDate: day(25), updateMask: { paths: ["due_date"] } };
    await it.tasks.updateTask(move, it.ann.as);
    expect(await it.look("2050-11-24T08:00:00Z")).toEqual([]);
    expect((await it.look("2050-11-25T08:00:00Z")).map(spoken)).toEqual([[moved.id, 25, false]]);
    await it.tasks.reopenTask({ taskId: completed.id }, it.ann.as);
    expect((await it.look("2050-11-25T09:00:00Z")).map(spoken)).toEqual([[completed.id, 21, true]]);
  });

  it("on a document in the trash waits until the document is taken back", async () => {
    await using it = await startMorning();
    const { ann, world } = it;
    const documentId = await world.document(ann, "Crane");
    const hidden = await it.task({ title: "Hidden", place: on(documentId), dueDate: day(21) });
    await world.documents.deleteDocument({ documentId }, ann.as);
    expect(await it.look("2050-11-21T08:00:00Z")).toEqual([]);
    await world.documents.undeleteDocument({ documentId }, ann.as);
    expect(await it.look("2050-11-21T09:00:00Z")).toMatchObject([{ taskId: hidden.id, documentId }]);
  });

  it("is not told of in a workspace that is gone", async () => {
    await using it = await startMorning();
    await it.task({ title: "Paint", dueDate: day(21) });
    it.world.users.remove(it.world.workspaceId);
    expect(await it.look("2050-11-21T08:00:00Z")).toEqual([]);
  });

  it("is told of though another workspace cannot be asked about", async () => {
    await using it = await startMorning();
    const { world, ann } = it;
    const broken = "00000000-0000-7000-8000-000000000001";
    world.users.join(ann, broken, "member");
    await it.task({ title: "Unasked", place: at(broken), dueDate: day(21) });
    const task = await it.task({ title: "Paint", dueDate: day(21) });
    const clients = world.users.clients();
    const getWorkspaceFacts: typeof clients.memberships.getWorkspaceFacts = (request, options) =>
      request.workspaceId === broken
        ? Promise.reject(new ConnectError("broken", Code.Internal))
        : clients.memberships.getWorkspaceFacts(request, options);
    const half = { ...clients, memberships: { ...clients.memberships, getWorkspaceFacts } };
    await expect(sweep(world, it.db, "2050-11-21T08:00:00Z", half)).rejects.toThrow("broken");
    expect((await it.told()).map(({ taskId }) => taskId)).toEqual([task.id]);
  });

  it("is told of once by replicas that look at the same time, however many tasks there are", async () => {
    await using it = await startMorning();
    const ids = [];
    for (let n = 0; n < 120; n++) ids.push((await it.task({ title: `Task ${n}`, dueDate: day(21) })).id);
    const looks = ["2050-11-21T08:00:00Z", "2050-11-21T08:00:01Z", "2050-11-21T08:00:02Z"];
    await Promise.all(looks.map((moment) => sweep(it.world, it.db, moment)));
    expect((await it.told()).map(({ taskId }) => taskId).sort()).toEqual(ids.sort());
  });
});

describe("the mail about a task that is due", () => {
  it("is asked for once, with what it says", async () => {
    await using it = await startMorning();
    await it.task({ title: "Paint", dueDate: day(21), assignee: toPerson(it.ann) });
    await it.task({ title: "Nobody's", dueDate: day(21) });
    await it.look("2050-11-21T08:00:00Z");
    expect(await it.mails()).toMatchObject([
      {
        workspaceId: it.world.workspaceId,
        assignee: { kind: PrincipalKind.PERSON, id: it.ann.id },
        title: "Paint",
        dueDate: text(21),
        overdue: false,
      },
    ]);
  });

  it("has no title for a group on a document, and goes to no person who may not see it", async () => {
    await using it = await startMorning();
    const { ann, world } = it;
    const guest = await world.person("guest");
    const documentId = await world.document(ann, "Crane");
    const groupId = world.users.group(world.workspaceId, ann);
    const place = on(documentId);
    await it.task({ title: "Unseen", place, dueDate: day(21), assignee: toPerson(guest) });
    await it.task({ title: "Crew", place, dueDate: day(21), assignee: toGroup(groupId) });
    await it.task({ title: "Seen", place, dueDate: day(21), assignee: toPerson(ann) });
    expect(await it.look("2050-11-21T08:00:00Z")).toHaveLength(3);
    const mails = await it.mails();
    const told = new Map(mails.map(({ assignee, title }) => [assignee?.id, title]));
    expect(told).toEqual(
      new Map([
        [groupId, ""],
        [ann.id, "Seen"],
      ]),
    );
    expect(mails.every((mail) => mail.documentId === documentId)).toBe(true);
  });
});
