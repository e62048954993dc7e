import { describe, expect, it } from "@jest/globals";
import { TaskStatus } from "@docket/contracts/gen/docket/document/v1/task_pb.ts";
import { openDatabase } from "@docket/runtime/db/database";
import { captureLog } from "@docket/runtime/testing/log";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { type CompiledQuery, sql } from "kysely";
import { type DocumentDatabase, entities } from "./entities.ts";
import { migrations } from "./migrations/index.ts";
import { assignedTo, branchesOf, branchStatement, type TaskReader, visibleTo } from "./task_lists.ts";

const page = { statuses: [], after: "t", limit: 51 };
const member: TaskReader = {
  workspaceId: "w",
  principals: ["person:ann", "group:g", "members"],
  seesRoot: true,
  makesTasks: true,
  assignees: ["person:ann", "group:g"],
};
const guest: TaskReader = { ...member, principals: ["person:ann", "group:g"], seesRoot: false, makesTasks: false };

const grant = { workspace_id: "w", principal: "group:g", level: 1, created_by: "", updated_at: 1 };

/** How SQLite would go about a statement, step by step. */
async function planOf(db: DocumentDatabase, { sql: text, parameters }: CompiledQuery): Promise<string[]> {
  const [first = "", ...rest] = `explain query plan ${text}`.split("?");
  const whole = rest.reduce((made, part, at) => sql`${made}${parameters[at]}${sql.raw(part)}`, sql.raw(first));
  const { rows } = await sql<{ detail: string }>`${whole}`.execute(db.query);
  return rows.map((row) => row.detail);
}

describe("a page of tasks", () => {
  it("begins in an index at its first row and sorts nothing, whatever the list", async () => {
    await using folder = await temporaryFolder();
    const { logger } = captureLog();
    const url = `file:${folder.path}`;
    await using db = await openDatabase({
      url,
      name: "document",
      entities,
      migrations,
      logger,
    });
    await db.query
      .insertInto("access_grant")
      .values([
        { ...grant, resource_id: "f", resource_kind: "folder" },
        { ...grant, resource_id: "d", resource_kind: "document" },
      ])
      .execute();
    await db.query
      .insertInto("folder_closure")
      .values({ workspace_id: "w", descendant_id: "f", ancestor_id: "f", distance: 0 })
      .execute();
    const branches = [
      ...(await branchesOf(db.query, member)),
      ...(await branchesOf(db.query, guest)),
      ...assignedTo(member, visibleTo(member)),
      ...assignedTo(guest, visibleTo(guest)),
    ];
    expect(branches).toHaveLength(9);
    for (const branch of branches) {
      const plan = await planOf(db, branchStatement(branch, TaskStatus.OPEN, page).compile(db.query));
      expect(plan[0]).toMatch(/^SEARCH task USING INDEX task_\w+ \(workspace_id=\? AND .*status=\? AND id<\?\)$/);
      expect(plan.join("\n")).not.toMatch(/SCAN|TEMP B-TREE/);
    }
  });
});
