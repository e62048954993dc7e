// Pages of tasks, the latest made first. What somebody may see is a union of lists that are each sorted in an index, one
// for each status asked for; a page reads at most its length from each, and nothing is filtered out after it was read.
import { TaskStatus } from "@docket/contracts/gen/docket/document/v1/task_pb.ts";
import { sql } from "kysely";
import type { PrincipalKey } from "../domain/access.ts";
import type { Query } from "./entities.ts";
import { foldersVisibleTo } from "./places.ts";
import { chunks } from "./statements.ts";
import type { TaskRow } from "./tasks.ts";

/** How a subject stands in a workspace, as far as lists of tasks look at it. */
export interface TaskReader {
  readonly workspaceId: string;
  /** Everything whose grants reach the subject. */
  readonly principals: readonly PrincipalKey[];
  /** The subject sees the root, and so every document. */
  readonly seesRoot: boolean;
  /** The subject may make tasks that stand alone, and so sees them all. */
  readonly makesTasks: boolean;
  /** The subject and its groups, as rows write an assignee. */
  readonly assignees: readonly string[];
}

/** One sorted list: a condition that an index serves, but for status and id. */
export interface Branch {
  readonly workspaceId: string;
  readonly where: ReturnType<typeof sql<boolean>>;
}

/** Which statuses, and where a page goes on. */
export interface TaskPage {
  readonly statuses: readonly TaskStatus[];
  /** The id of the last task of the page before. */
  readonly after: string | undefined;
  readonly limit: number;
}

/** How many lists are merged by one statement; SQLite takes 500 terms in a compound. */
const branchesAtOnce = 60;

/** The tasks of one document, which the reader may see. */
export function documentTasks(
  query: Query,
  workspaceId: string,
  documentId: string,
  assignees: readonly string[] | undefined,
  page: TaskPage,
): Promise<TaskRow[]> {
  // A document has few enough tasks to pick the assigned ones out of them.
  const mine = assignees === undefined ? sql<boolean>`1 = 1` : sql<boolean>`assignee in (${sql.join(assignees)})`;
  return merge(query, [{ workspaceId, where: sql<boolean>`document_id = ${documentId} and ${mine}` }], page);
}

/** The tasks of a workspace that the reader may see. */
export async function workspaceTasks(query: Query, reader: TaskReader, page: TaskPage): Promise<TaskRow[]> {
  return merge(query, await branchesOf(query, reader), page);
}

/** The lists that together are all tasks of a workspace that the reader may see. */
export async function branchesOf(query: Query, reader: TaskReader): Promise<Branch[]> {
  const { workspaceId, principals } = reader;
  const branch = (where: Branch["where"]): Branch => ({ workspaceId, where });
  if (reader.seesRoot && reader.makesTasks) return [branch(sql<boolean>`listed = 1`)];

  const branches: Branch[] = assignedTo({ ...reader, seesRoot: false }, sql<boolean>`document_id = ''`);
  if (reader.makesTasks) branches.push(branch(sql<boolean>`document_id = ''`));
  if (reader.seesRoot) branches.push(branch(sql<boolean>`listed = 1 and document_id != ''`));
  if (!reader.seesRoot && principals.length > 0) {
    for (const folderId of await foldersVisibleTo(query, workspaceId, principals)) {
      branches.push(branch(sql<boolean>`folder_id = ${folderId} and listed = 1`));
    }
    for (const documentId of await documentsGrantedTo(query, workspaceId, principals)) {
      branches.push(branch(sql<boolean>`document_id = ${documentId} and listed + 0 = 1`));
    }
  }
  return branches;
}

/** The tasks that are assigned to the readers or their groups, in all of their workspaces. */
export function assignedTasks(query: Query, readers: readonly TaskReader[], page: TaskPage): Promise<TaskRow[]> {
  return merge(
    query,
    readers.flatMap((reader) => assignedTo(reader, visibleTo(reader))),
    page,
  );
}

export function assignedTo(reader: TaskReader, visible: ReturnType<typeof sql<boolean>>): Branch[] {
  return reader.assignees.map((assignee) => ({
    workspaceId: reader.workspaceId,
    where: sql<boolean>`assignee = ${assignee} and listed = 1 and ${visible}`,
  }));
}

/** Whoever is assigned a task on a document that they may no longer see does not see the task either. */
export function visibleTo({ workspaceId, principals, seesRoot }: TaskReader): ReturnType<typeof sql<boolean>> {
  if (seesRoot) return sql<boolean>`1 = 1`;
  if (principals.length === 0) return sql<boolean>`document_id = ''`;
  const granted = sql`g.workspace_id = ${workspaceId} and g.principal in (${sql.join(principals)}) and g.level > 0`;
  return sql<boolean>`(document_id = ''
    or exists (select 1 from access_grant as g where ${granted} and g.resource_id = task.document_id)
    or exists (select 1 from folder_closure as c inner join access_grant as g on g.resource_id = c.ancestor_id
      where c.workspace_id = ${workspaceId} and c.descendant_id = task.folder_id and ${granted}))`;
}

const everyStatus = [TaskStatus.OPEN, TaskStatus.IN_PROGRESS, TaskStatus.COMPLETED];

/** Merges sorted lists; a task that is in several comes once. */
async function merge(query: Query, branches: readonly Branch[], page: TaskPage): Promise<TaskRow[]> {
  const statuses = page.statuses.length === 0 ? everyStatus : page.statuses;
  const parts = branches.flatMap((branch) => statuses.map((status) => branchStatement(branch, status, page)));
  const found = new Map<string, TaskRow>();
  for (const some of chunks(parts, branchesAtOnce)) {
    const sorted = some.map((part) => sql`select * from (${part}) as part`);
    const { rows } =
      await sql<TaskRow>`${sql.join(sorted, sql` union all `)} order by id desc limit ${sql.lit(page.limit)}`.execute(
        query,
      );
    for (const row of rows) found.set(row.id, row);
  }
  return [...found.values()].sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, page.limit);
}

/** The first rows of one list in one status. */
export function branchStatement({ workspaceId, where }: Branch, status: TaskStatus, { after, limit }: TaskPage) {
  const beyond = after === undefined ? sql`` : sql` and id < ${after}`;
  return sql<TaskRow>`select * from task where workspace_id = ${workspaceId} and status = ${status}
    and ${where}${beyond} order by id desc limit ${sql.lit(limit)}`;
}

/** The documents that are granted to some principals by name. */
async function documentsGrantedTo(
  query: Query,
  workspaceId: string,
  principals: readonly PrincipalKey[],
): Promise<string[]> {
  const rows = await query
    .selectFrom("access_grant")
    .select("resource_id")
    .distinct()
    .where("workspace_id", "=", workspaceId)
    .where("principal", "in", principals)
    .where("resource_kind", "=", "document")
    .where("level", ">", 0)
    .execute();
  return rows.map((row) => row.resource_id);
}
