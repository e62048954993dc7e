// TaskService.
import { create } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import {
  CreateTaskResponseSchema,
  NewVersionRule,
  TaskKind,
  TaskPriority,
  TaskStatus,
} from "@docket/contracts/gen/docket/document/v1/task_pb.ts";
import { TaskService } from "@docket/contracts/gen/docket/document/v1/task_service_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { PrincipalKind } from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";
import { forward, subjectOf } from "@docket/runtime/call";
import { idempotent } from "@docket/runtime/db/request_record";
import { AppError, invalidArgument, notFound } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import { checkEtag, etagOf } from "../domain/revision.ts";
import {
  complete,
  dateText,
  mostTasksOfDocument,
  type Pin,
  pinTo,
  reopen,
  setStatus,
  type TaskState,
} from "../domain/task_rules.ts";
import { type ChangeFacts, recordChanges } from "../store/changes.ts";
import type { Query, Tx } from "../store/entities.ts";
import {
  countTasksOfDocument,
  insertTask,
  readTask,
  removeTask,
  stateColumns,
  type TaskRow,
  taskState,
  updateTask,
} from "../store/tasks.ts";
import { readVersion } from "../store/versions.ts";
import { actorOf, type Deps, liveDocument } from "./deps.ts";
import { assigneeKey, taskMessage } from "./task_messages.ts";
import { listTasksFor } from "./task_lists.ts";

export function taskHandlers(deps: Deps): ServiceImpl<typeof TaskService> {
  const { db, clock } = deps;

  /** Changes a task by its rules and tells of it; undefined from `change`: nothing happens. */
  async function act(
    context: HandlerContext,
    taskId: string,
    etag: string | undefined,
    kind: ChangeKind,
    change: (tx: Tx, row: TaskRow, at: number) => Promise<Partial<TaskRow> | undefined>,
  ) {
    const actor = actorOf(context);
    const { workspace_id: lock } = await taskOf(db.query, taskId);
    return db.transaction(
      async (tx) => {
        const row = await taskOf(tx, taskId);
        if (row.document_id !== "") await liveDocument(tx, row.document_id);
        const at = clock().getTime();
        const values = await change(tx, row, at);
        // Repeated with the etag of before, a call that has taken effect still answers.
        if (values === undefined) return { task: taskMessage(row) };
        checkEtag(etag, row.revision);
        const next = await updateTask(tx, row, values, at);
        // An open task that is only pinned anew is not opened again.
        const told =
          kind === ChangeKind.TASK_REOPENED && row.status !== TaskStatus.COMPLETED ? ChangeKind.TASK_UPDATED : kind;
        await recordChanges(tx, row.workspace_id, at, actor, [taskFacts(next, told)]);
        return { task: taskMessage(next) };
      },
      { lock },
    );
  }

  return {
    async createTask(request, context) {
      const actor = actorOf(context);
      const { place } = request;
      const dueDate = request.dueDate === undefined ? null : dateText(request.dueDate);
      const assignee = assigneeKey(request.assignee);
      if (place.case === "workspaceId") refusePin(request.versionNumber, request.digest);
      const workspaceId =
        place.case === "documentId" ? (await liveDocument(db.query, place.value)).workspace_id : (place.value ?? "");
      await requireAssignee(deps, context, workspaceId, assignee);
      const replay = {
        subject: subjectOf(context),
        method: TaskService.method.createTask,
        requestId: request.requestId,
        request,
        now: clock,
        lock: workspaceId,
      };
      return idempotent(db, replay, async (tx) => {
        const document = place.case === "documentId" ? await liveDocument(tx, place.value) : undefined;
        if (document !== undefined) await refuseTooMany(tx, document);
        const newest = document && (await pinOf(tx, document, request.versionNumber));
        const pin = newest && pinTo(newest, request.digest);
        const at = clock().getTime();
        const state: TaskState = {
          kind: request.kind || TaskKind.TODO,
          status: TaskStatus.OPEN,
          rule: pin === undefined ? NewVersionRule.UNSPECIFIED : request.onNewVersion || NewVersionRule.GO_STALE,
          stale: pin !== undefined && document !== undefined && pin.versionNumber < document.last_number,
          ...(pin && { pin }),
        };
        const row = await insertTask(tx, {
          ...stateColumns(state),
          id: newId(),
          workspace_id: workspaceId,
          document_id: document?.id ?? "",
          folder_id: document?.folder_id ?? "",
          listed: 1,
          title: request.title,
          description: request.description,
          kind: state.kind,
          on_new_version: state.rule,
          priority: request.priority || TaskPriority.NORMAL,
          assignee,
          due_date: dueDate,
          revision: 1,
          created_by: actor,
          created_at: at,
          updated_at: at,
        });
        await recordChanges(tx, workspaceId, at, actor, [taskFacts(row, ChangeKind.TASK_CREATED)]);
        return create(CreateTaskResponseSchema, { task: taskMessage(row) });
      });
    },

    async getTask(request) {
      return { task: taskMessage(await taskOf(db.query, request.taskId)) };
    },

    listTasks: (request, context) => listTasksFor(deps, request, context),

    async updateTask(request, context) {
      const paths = new Set(request.updateMask?.paths);
      const dueDate = request.dueDate === undefined ? null : dateText(request.dueDate);
      const assignee = assigneeKey(request.assignee);
      if (paths.has("assignee")) {
        const { workspace_id: workspaceId } = await taskOf(db.query, request.taskId);
        await requireAssignee(deps, context, workspaceId, assignee);
      }
      return act(context, request.taskId, request.etag, ChangeKind.TASK_UPDATED, async (_tx, row) => {
        const pinned = row.document_id !== "";
        const values: Partial<TaskRow> = {
          ...(paths.has("title") && { title: request.title }),
          ...(paths.has("description") && { description: request.description }),
          ...(paths.has("assignee") && { assignee }),
          ...(paths.has("due_date") && { due_date: dueDate }),
          ...(paths.has("priority") && { priority: request.priority || TaskPriority.NORMAL }),
          ...(paths.has("status") && setStatusOf(row, request.status)),
          ...(paths.has("on_new_version") &&
            pinned && { on_new_version: request.onNewVersion || NewVersionRule.GO_STALE }),
        };
        const changed = Object.entries(values).some(([column, value]) => row[column as keyof TaskRow] !== value);
        return changed ? values : undefined;
      });
    },

    async completeTask(request, context) {
      const by = actorOf(context);
      return act(context, request.taskId, request.etag, ChangeKind.TASK_COMPLETED, async (_tx, row, at) => {
        const { outcome, note, digest } = request;
        const done = complete(taskState(row), { outcome, note, by, at, ...(digest && { digest }) });
        return done && stateColumns(done);
      });
    },

    async reopenTask(request, context) {
      return act(context, request.taskId, request.etag, ChangeKind.TASK_REOPENED, async (tx, row) => {
        const document = { workspace_id: row.workspace_id, id: row.document_id };
        const newest = request.newest && row.document_id !== "" ? await pinOf(tx, document, 0) : undefined;
        const open = reopen(taskState(row), newest);
        return open && stateColumns(open);
      });
    },

    async deleteTask(request, context) {
      const actor = actorOf(context);
      const { workspace_id: lock } = await taskOf(db.query, request.taskId);
      return db.transaction(
        async (tx) => {
          const row = await taskOf(tx, request.taskId);
          checkEtag(request.etag, row.revision);
          await removeTask(tx, row);
          const { etag: _, ...facts } = taskFacts(row, ChangeKind.TASK_DELETED);
          await recordChanges(tx, row.workspace_id, clock().getTime(), actor, [facts]);
          return {};
        },
        { lock },
      );
    },
  };
}

/** A task that exists. Throws NOT_FOUND. */
export async function taskOf(query: Query, id: string): Promise<TaskRow> {
  const row = await readTask(query, id);
  if (row === undefined) throw notFound("task", id);
  return row;
}

/** What every change of a task tells. */
function taskFacts(row: TaskRow, kind: ChangeKind): ChangeFacts {
  return {
    kind,
    taskId: row.id,
    etag: etagOf(row.revision),
    ...(row.document_id !== "" && { documentId: row.document_id }),
    ...(row.folder_id !== "" && { folderId: row.folder_id }),
  };
}

async function pinOf(tx: Tx, document: { workspace_id: string; id: string }, number: number): Promise<Pin> {
  const version = await readVersion(tx, document.workspace_id, document.id, number);
  if (version === undefined) throw notFound("version", `${document.id}/${number}`);
  return { versionId: version.id, versionNumber: version.number, digest: version.digest };
}

function setStatusOf(row: TaskRow, status: TaskStatus): Partial<TaskRow> {
  return { status: setStatus(taskState(row), status || TaskStatus.OPEN).status };
}

function refusePin(versionNumber: number, digest: Uint8Array | undefined): void {
  if (versionNumber === 0 && digest === undefined) return;
  const field = versionNumber === 0 ? "digest" : "version_number";
  throw invalidArgument([{ field, rule: "task.alone", description: "goes with document_id" }]);
}

async function refuseTooMany(tx: Tx, document: { workspace_id: string; id: string }): Promise<void> {
  if ((await countTasksOfDocument(tx, document.workspace_id, document.id)) < mostTasksOfDocument) return;
  throw new AppError(Reason.LIMIT_REACHED, {
    metadata: { limit: String(mostTasksOfDocument) },
    message: `A document can have ${mostTasksOfDocument} tasks.`,
  });
}

/** Throws PRINCIPAL_UNKNOWN unless the assignee belongs to the workspace now. */
async function requireAssignee(deps: Deps, context: HandlerContext, workspaceId: string, key: string): Promise<void> {
  if (key === "") return;
  const [kind, id = ""] = key.split(":");
  const ref = { kind: kind === "group" ? PrincipalKind.GROUP : PrincipalKind.PERSON, id };
  const { principals } = await deps.clients.memberships.resolvePrincipals(
    { workspaceId, principals: [ref] },
    forward(context),
  );
  if (principals.some(({ active }) => active)) return;
  throw new AppError(Reason.PRINCIPAL_UNKNOWN, {
    metadata: { kind: kind ?? "", id },
    message: `The ${kind} does not belong to the workspace.`,
  });
}
