/**
 * request_id: the first answer to a request is kept for a day and given again when the same request comes back. The
 * record is written in the transaction of the effect, so there is never one without the other.
 */
import { createHash } from "node:crypto";
import { type DescMessage, type DescMethodUnary, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Kysely } from "kysely";
import { type Clock, systemClock } from "../clock.ts";
import { AppError } from "../errors.ts";
import type { Database, Transaction } from "./database.ts";
import type { RuntimeTables } from "./entities.ts";
import { isUniqueViolation } from "./errors.ts";

/** How long an answer is kept, in milliseconds. */
export const REQUEST_RECORD_LIFE_MS = 24 * 60 * 60 * 1000;

export interface IdempotentRequest<Input extends DescMessage, Output extends DescMessage> {
  /** Who asks: the same id of somebody else is another request. */
  readonly subject: { readonly kind: string; readonly id: string };
  readonly method: DescMethodUnary<Input, Output>;
  /** The request's `request_id`; undefined or empty runs without a record. */
  readonly requestId: string | undefined;
  readonly request: MessageShape<Input>;
  /** What is kept of the answer. Default: all of it. Take secrets out here. */
  readonly keep?: (response: MessageShape<Output>) => MessageShape<Output>;
  /** Called before a replay is given; throws when the subject may not have it any more. */
  readonly recheck?: (kept: MessageShape<Output>) => Promise<void> | void;
  readonly now?: Clock;
  /** See TransactionOptions. */
  readonly lock?: string;
}

interface Key {
  readonly subject: string;
  readonly method: string;
  readonly request_id: string;
}

/** Thrown inside the transaction to leave it, when the answer is there already. */
class Recorded extends Error {}

/**
 * Runs `run` in one transaction, once per (subject, method, request id): a second call with the same request gets the
 * first's answer, and of two at once one runs. The same id with another request is AppError REQUEST_ID_REUSED.
 */
export async function idempotent<Tables extends RuntimeTables, Input extends DescMessage, Output extends DescMessage>(
  db: Database<Tables>,
  call: IdempotentRequest<Input, Output>,
  run: (tx: Transaction<Tables>) => Promise<MessageShape<Output>>,
): Promise<MessageShape<Output>> {
  const { requestId } = call;
  const options = call.lock === undefined ? {} : { lock: call.lock };
  if (requestId === undefined || requestId === "") return db.transaction(run, options);
  const key: Key = {
    subject: `${call.subject.kind}:${call.subject.id}`,
    method: `${call.method.parent.typeName}/${call.method.name}`,
    request_id: requestId.toLowerCase(),
  };
  const hash = createHash("sha256").update(toBinary(call.method.input, call.request)).digest("hex");
  const now = (call.now ?? systemClock)().getTime();
  const records = db.query as unknown as Kysely<RuntimeTables>;

  for (;;) {
    const replay = await readRecord(records, key);
    if (replay !== undefined && replay.created_at > now - REQUEST_RECORD_LIFE_MS) {
      if (replay.request_hash !== hash) throw new AppError(Reason.REQUEST_ID_REUSED);
      const kept = fromBinary(call.method.output, replay.response);
      await call.recheck?.(kept);
      return kept;
    }
    if (replay !== undefined) await forgetRecord(records, key, replay.created_at);
    try {
      return await db.transaction(async (tx) => {
        const inside = tx as unknown as Transaction<RuntimeTables>;
        // Written first: on a dialect with many writers the second waits here until the first has committed.
        await claim(inside, { ...key, request_hash: hash, response: new Uint8Array(), created_at: now });
        const response = await run(tx);
        const kept = toBinary(call.method.output, call.keep?.(response) ?? response);
        await recordOf(inside.updateTable("request_record"), key).set({ response: kept }).execute();
        return response;
      }, options);
    } catch (error) {
      if (!(error instanceof Recorded)) throw error;
    }
  }
}

/** Deletes answers older than `before`; answers how many. A periodic job calls it. */
export async function forgetRequests<Tables extends RuntimeTables>(
  db: Database<Tables>,
  before: Date,
): Promise<number> {
  const records = db.query as unknown as Kysely<RuntimeTables>;
  const result = await records
    .deleteFrom("request_record")
    .where("created_at", "<", before.getTime())
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}

async function claim(
  tx: Transaction<RuntimeTables>,
  record: Key & Omit<RuntimeTables["request_record"], keyof Key>,
): Promise<void> {
  try {
    await tx.insertInto("request_record").values(record).execute();
  } catch (error) {
    if (isUniqueViolation(error)) throw new Recorded();
    throw error;
  }
}

function readRecord(records: Kysely<RuntimeTables>, key: Key) {
  return recordOf(
    records.selectFrom("request_record").select(["request_hash", "response", "created_at"]),
    key,
  ).executeTakeFirst();
}

async function forgetRecord(records: Kysely<RuntimeTables>, key: Key, createdAt: number): Promise<void> {
  await recordOf(records.deleteFrom("request_record"), key).where("created_at", "=", createdAt).execute();
}

/** Adds the record's key to a statement of any kind. */
function recordOf<Query extends { where(column: keyof Key, operator: "=", value: string): Query }>(
  query: Query,
  key: Key,
): Query {
  return query
    .where("subject", "=", key.subject)
    .where("method", "=", key.method)
    .where("request_id", "=", key.request_id);
}
