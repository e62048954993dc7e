// The tasks of the demonstration: made, begun and done as far as they are meant to be.

import {
  type Task,
  TaskKind,
  TaskOutcome,
  TaskPriority,
  TaskStatus,
} from "@docket/contracts/gen/docket/document/v1/task_pb.ts";
import { everyPage, requestId } from "./client.ts";
import { type Filling, fillComments, type KnownDocument } from "./filling.ts";
import type { DemoTask } from "./shape.ts";
import { tasks } from "./tasks.ts";

const priorities = { low: TaskPriority.LOW, high: TaskPriority.HIGH, urgent: TaskPriority.URGENT };
const outcomes = { approved: TaskOutcome.APPROVED, rejected: TaskOutcome.REJECTED };

/** Makes the tasks that are missing, and brings each as far as it is to be. */
export async function fillTasks(filling: Filling, known: ReadonlyMap<string, KnownDocument>): Promise<void> {
  const { anna, workspaceId } = filling;
  const there = await everyPage(
    (page) => anna.tasks.listTasks({ place: { case: "workspaceId", value: workspaceId }, ...page }),
    (page) => page.tasks,
  );
  for (const wanted of tasks) {
    const task = there.find(({ title }) => title === wanted.title) ?? (await makeTask(filling, wanted, known));
    if (task === undefined) continue;
    await fillComments(filling, { case: "taskId", value: task.id }, wanted.comments);
    await advance(filling, wanted, task);
  }
}

async function makeTask(
  filling: Filling,
  wanted: DemoTask,
  known: ReadonlyMap<string, KnownDocument>,
): Promise<Task | undefined> {
  const document = wanted.on === undefined ? undefined : known.get(wanted.on);
  // Whoever put a document into the trash does not want its tasks back.
  if (wanted.on !== undefined && (document === undefined || document.trashed)) return undefined;
  const assignee =
    wanted.assignee === undefined
      ? undefined
      : wanted.assignee === "inspectors"
        ? ({ case: "groupId", value: filling.ids.inspectors } as const)
        : ({ case: "personId", value: filling.ids[wanted.assignee] } as const);
  const { task } = await filling[wanted.by].tasks.createTask({
    place: document ? { case: "documentId", value: document.id } : { case: "workspaceId", value: filling.workspaceId },
    versionNumber: wanted.version ?? 0,
    title: wanted.title,
    description: wanted.description ?? "",
    kind: wanted.approval ? TaskKind.APPROVAL : TaskKind.TODO,
    ...(assignee && { assignee: { assignee } }),
    ...(wanted.due !== undefined && { dueDate: dayFromNow(wanted.due) }),
    priority: wanted.priority ? priorities[wanted.priority] : TaskPriority.NORMAL,
    requestId: requestId("task", filling.workspaceId, wanted.title),
  });
  filling.made(wanted.title);
  return task;
}

async function advance(filling: Filling, { begun, by, done }: DemoTask, task: Task): Promise<void> {
  if (begun && task.status === TaskStatus.OPEN) {
    const updateMask = { paths: ["status"] };
    await filling[by].tasks.updateTask({ taskId: task.id, status: TaskStatus.IN_PROGRESS, updateMask });
  }
  if (done === undefined || task.status === TaskStatus.COMPLETED) return;
  await filling[done.by].tasks.completeTask({
    taskId: task.id,
    note: done.note ?? "",
    ...(done.outcome && { outcome: outcomes[done.outcome] }),
    ...(done.outcome && task.pin && { digest: task.pin.digest }),
  });
}

/** A day counted from the one that it is now where the workspace is. */
function dayFromNow(days: number) {
  const [year = 0, month = 0, day = 0] = new Date()
    .toLocaleDateString("sv-SE", { timeZone: "Europe/Stockholm" })
    .split("-")
    .map(Number);
  const then = new Date(Date.UTC(year, month - 1, day + days));
  return { year: then.getUTCFullYear(), month: then.getUTCMonth() + 1, day: then.getUTCDate() };
}
