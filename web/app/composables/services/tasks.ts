// Tasks: what is to be done, on a version of a document or standing alone.

import type { Date as CalendarDate } from "@docket/contracts/gen/docket/document/v1/actor_pb.ts";
import type {
  Assignee,
  NewVersionRule,
  Task,
  TaskKind,
  TaskOutcome,
  TaskPriority,
  TaskStatus,
} from "@docket/contracts/gen/docket/document/v1/task_pb.ts";
import { TaskService } from "@docket/contracts/gen/docket/document/v1/task_service_pb.ts";

/** Which tasks: of a document, of a workspace, or, without either, in every workspace; then only one's own. */
export interface TaskList {
  readonly documentId?: string;
  readonly workspaceId?: string;
  /** Only those of oneself or a group of one's own. */
  readonly assignedToMe?: boolean;
  /** Only those in these statuses. Empty: in any. */
  readonly statuses?: readonly TaskStatus[];
}

/** Some tasks, the latest made first, and how to go on; an empty token when there are no more. */
export interface TasksPage {
  readonly tasks: Task[];
  readonly nextPageToken: string;
}

/** Whom a task is for. */
export type TaskHolder = Assignee["assignee"];

/** What may be changed of a task. */
export interface TaskFields {
  title: string;
  description: string;
  /** Undefined: nobody yet. */
  assignee: TaskHolder | undefined;
  /** Undefined: none. */
  dueDate: CalendarDate | undefined;
  priority: TaskPriority;
  onNewVersion: NewVersionRule;
}

/** Where a new task stands: alone in a workspace, or on a version of a document (0: the newest). */
export type TaskPlace =
  | { readonly workspaceId: string }
  | { readonly documentId: string; readonly versionNumber: number; readonly digest?: Uint8Array };

export function useTasks() {
  const client = useClient(TaskService);
  return {
    async list(which: TaskList, pageToken = "", pageSize = 100): Promise<TasksPage> {
      const { documentId, workspaceId, assignedToMe, statuses = [] } = which;
      const place =
        documentId !== undefined
          ? ({ case: "documentId", value: documentId } as const)
          : workspaceId !== undefined
            ? ({ case: "workspaceId", value: workspaceId } as const)
            : undefined;
      const { tasks, nextPageToken } = await client.listTasks({
        place,
        assignedToMe,
        statuses: [...statuses],
        pageToken,
        pageSize,
      });
      return { tasks, nextPageToken };
    },
    async get(taskId: string): Promise<Task> {
      return there((await client.getTask({ taskId })).task);
    },
    async create(where: TaskPlace, kind: TaskKind, fields: TaskFields, requestId = newId()): Promise<Task> {
      const { assignee, ...rest } = fields;
      const place =
        "documentId" in where
          ? ({ case: "documentId", value: where.documentId } as const)
          : ({ case: "workspaceId", value: where.workspaceId } as const);
      const pin = "documentId" in where ? { versionNumber: where.versionNumber, digest: where.digest } : {};
      const who = assignee === undefined ? undefined : { assignee };
      return there((await client.createTask({ ...rest, ...pin, place, kind, assignee: who, requestId })).task);
    },
    /** Changes what is named, unless somebody else did since `task` was read. */
    async update(task: Pick<Task, "id" | "etag">, fields: Partial<TaskFields>): Promise<Task> {
      const names: Record<string, string> = { dueDate: "due_date", onNewVersion: "on_new_version" };
      const paths = Object.keys(fields).map((field) => names[field] ?? field);
      const { assignee, ...rest } = fields;
      const who = assignee === undefined ? undefined : { assignee };
      const { id: taskId, etag } = task;
      const request = { taskId, ...rest, assignee: who, updateMask: { paths }, etag };
      return there((await client.updateTask(request)).task);
    },
    /** To be done, or somebody is at it. */
    async setStatus(taskId: string, status: TaskStatus): Promise<Task> {
      return there((await client.updateTask({ taskId, status, updateMask: { paths: ["status"] } })).task);
    },
    /** Completes a task; an approval with its outcome, which holds for the pinned contents and no other. */
    async complete(task: Task, outcome?: TaskOutcome, note = ""): Promise<Task> {
      const digest = outcome === undefined ? undefined : task.pin?.digest;
      return there((await client.completeTask({ taskId: task.id, outcome, note, digest })).task);
    },
    /** Opens it again, or moves an open one to the newest version. */
    async reopen(taskId: string, newest = false): Promise<Task> {
      return there((await client.reopenTask({ taskId, newest })).task);
    },
    async remove(taskId: string): Promise<void> {
      await client.deleteTask({ taskId });
    },
  };
}
