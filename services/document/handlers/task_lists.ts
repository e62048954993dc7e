// The lists of TaskService.
import type { HandlerContext } from "@connectrpc/connect";
import type { ListTasksRequest } from "@docket/contracts/gen/docket/document/v1/task_pb.ts";
import { Permission, ResourceKind } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { type Call, callOf, type Subject, subjectOf } from "@docket/runtime/call";
import { openPage } from "@docket/runtime/db/page";
import { notFound } from "@docket/runtime/errors";
import { assigneesOf } from "../domain/access.ts";
import { assignedTasks, documentTasks, type TaskReader, workspaceTasks } from "../store/task_lists.ts";
import type { TaskRow } from "../store/tasks.ts";
import { workspacesOf } from "../workspaces.ts";
import { type Deps, documentOf } from "./deps.ts";
import { taskMessage } from "./task_messages.ts";

/** ListTasks: of a document, of a workspace, or assigned to the asker in every workspace of theirs. */
export async function listTasksFor(deps: Deps, request: ListTasksRequest, context: HandlerContext) {
  const { place, assignedToMe } = request;
  const statuses = [...request.statuses].sort();
  const page = openPage(request, { place: place.case ?? "", id: place.value ?? "", assignedToMe, statuses });
  const after = page.after === undefined ? undefined : String(page.after[0]);
  const rows = await read(deps, request, context, { statuses, after, limit: page.size + 1 });
  const tasks = rows.slice(0, page.size);
  const last = tasks.at(-1);
  return {
    tasks: tasks.map(taskMessage),
    nextPageToken: rows.length > page.size && last !== undefined ? page.tokenAfter([last.id]) : "",
  };
}

async function read(
  deps: Deps,
  { place, assignedToMe }: ListTasksRequest,
  context: HandlerContext,
  page: Parameters<typeof assignedTasks>[2],
): Promise<TaskRow[]> {
  const { db, authorizer, membership } = deps;
  const subject = subjectOf(context);
  const call = callOf(context);
  if (place.case === "documentId") {
    await authorizer.require(context, ResourceKind.DOCUMENT, place.value, Permission.DOCUMENT_VIEW);
    const document = await documentOf(db.query, place.value);
    const standing = await membership.of(subject, document.workspace_id, call);
    const assignees = assignedToMe ? assigneesOf(subject, standing) : undefined;
    if (assignees?.length === 0) return [];
    return documentTasks(db.query, document.workspace_id, document.id, assignees, page);
  }
  if (place.case === "workspaceId") {
    const reader = await readerIn(deps, subject, place.value, call);
    if (reader === undefined) throw notFound("workspace", place.value);
    return assignedToMe ? assignedTasks(db.query, [reader], page) : workspaceTasks(db.query, reader, page);
  }
  const workspaceIds = await workspacesOf(deps.clients, call, subject);
  const readers = await Promise.all(workspaceIds.map((id) => readerIn(deps, subject, id, call)));
  return assignedTasks(
    db.query,
    readers.filter((reader) => reader !== undefined),
    page,
  );
}

/** How the subject stands in a workspace; undefined: it does not belong to it. */
async function readerIn(
  { authorizer }: Deps,
  subject: Subject,
  workspaceId: string,
  call: Call,
): Promise<TaskReader | undefined> {
  const { standing, principals, access } = await authorizer.rootFor(subject, workspaceId, call);
  if (!standing.member) return undefined;
  return {
    workspaceId,
    principals,
    seesRoot: access.level > 0,
    makesTasks: standing.permissions.has(Permission.TASK_CREATE),
    assignees: assigneesOf(subject, standing),
  };
}
