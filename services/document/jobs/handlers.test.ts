import { ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { OperationKind, OperationState } from "@docket/contracts/gen/docket/document/v1/operation_pb.ts";
import { readChanges } from "@docket/runtime/changelog/read";
import { openDatabase } from "@docket/runtime/db/database";
import { newId } from "@docket/runtime/ids";
import type { MembershipCache } from "@docket/runtime/membership";
import type { Job } from "@docket/runtime/queue/worker";
import { captureLog } from "@docket/runtime/testing/log";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { testDatabaseUrl } from "@docket/runtime/testing/test_parts";
import { describe, expect, it } from "@jest/globals";
import type { Clients } from "../clients.ts";
import { readConfig } from "../config.ts";
import { createEvents } from "../events.ts";
import { recordChanges } from "../store/changes.ts";
import { entities, type Tables } from "../store/entities.ts";
import { migrations } from "../store/migrations/index.ts";
import { insertOperation, readOperation, updateOperation } from "../store/operations.ts";
import { housekeeping } from "./handlers.ts";

const day = 86_400_000;

describe("housekeeping", () => {
  it("forgets changes, answers and ended operations when their time is over, and nothing before", async () => {
    await using folder = await temporaryFolder();
    const { logger } = captureLog();
    await using db = await openDatabase({
      url: await testDatabaseUrl(folder.path),
      migrate: true,
      name: "document",
      entities,
      migrations,
      logger,
    });
    const workspaceId = newId();
    let now = 100 * day;
    const operations = await db.transaction(async (tx) => {
      const made = {
        workspace_id: workspaceId,
        kind: OperationKind.PURGE_DOCUMENT,
        target_kind: "document",
        target_id: newId(),
      };
      const ended = await insertOperation(tx, { ...made, id: newId(), created_by: "", created_at: now });
      const waiting = await insertOperation(tx, { ...made, id: newId(), created_by: "", created_at: now });
      await updateOperation(tx, ended, { state: OperationState.SUCCEEDED });
      const record = {
        subject: "person:ann",
        method: "m",
        request_hash: "",
        response: new Uint8Array(),
        created_at: now,
      };
      await tx
        .insertInto("request_record")
        .values({ ...record, request_id: newId() })
        .execute();
      await recordChanges(tx, workspaceId, now, "", [{ kind: ChangeKind.DOCUMENT_CREATED, documentId: newId() }]);
      return { ended, waiting };
    });
    const clock = () => new Date(now);
    const events = createEvents(logger);
    const config = readConfig({ DOCUMENT_CHANGES_KEPT: "90d", DOCUMENT_OPERATIONS_KEPT: "30d" });
    const membership = {} as MembershipCache;
    const settleReferences = async () => undefined;
    const jobs = housekeeping({ db, clients: {} as Clients, membership, events, clock, settleReferences }, config);
    const run = async () => {
      for (const job of Object.values(jobs)) await job.run({} as Job<Tables>, db, new AbortController().signal);
      return {
        ended: await readOperation(db.query, operations.ended.id),
        waiting: await readOperation(db.query, operations.waiting.id),
        records: (await db.query.selectFrom("request_record").select("method").execute()).length,
        log: (await db.query.selectFrom("change").select("kind").execute()).length,
      };
    };
    expect(await run()).toMatchObject({ ended: {}, waiting: {}, records: 1, log: 1 });
    now += 31 * day;
    expect(await run()).toMatchObject({ ended: undefined, waiting: {}, records: 0, log: 1 });
    now += 60 * day;
    expect(await run()).toMatchObject({ waiting: {}, log: 0 });
    await expect(readChanges(db, workspaceId, 0, 10)).rejects.toThrow("trimmed");
  });
});
