// Comments.
import type { Selectable } from "kysely";
import type { Query, Tables, Tx } from "./entities.ts";
import { refuseLost } from "./statements.ts";

export type CommentRow = Selectable<Tables["comment"]>;

export async function readComment(query: Query, id: string): Promise<CommentRow | undefined> {
  return query.selectFrom("comment").selectAll().where("id", "=", id).executeTakeFirst();
}

/** The comments on something, the earliest first; to be paged by id. */
export function commentsOn(query: Query, workspaceId: string, subject: string) {
  return query.selectFrom("comment").selectAll().where("workspace_id", "=", workspaceId).where("subject", "=", subject);
}

export async function insertComment(tx: Tx, row: CommentRow): Promise<void> {
  await tx.insertInto("comment").values(row).execute();
}

/** Changes what is said. Throws CONFLICT when another transaction changed it first. */
export async function updateComment(tx: Tx, row: CommentRow, body: string, at: number): Promise<CommentRow> {
  const next = { ...row, body, revision: row.revision + 1, updated_at: at };
  const changed = await tx
    .updateTable("comment")
    .set({ body, revision: next.revision, updated_at: at })
    .where("workspace_id", "=", row.workspace_id)
    .where("id", "=", row.id)
    .where("revision", "=", row.revision)
    .executeTakeFirst();
  refuseLost(changed);
  return next;
}

export async function removeComment(tx: Tx, row: Pick<CommentRow, "workspace_id" | "id">): Promise<void> {
  await tx.deleteFrom("comment").where("workspace_id", "=", row.workspace_id).where("id", "=", row.id).execute();
}
