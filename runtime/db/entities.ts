/** The tables of the runtime itself. Every service puts `runtimeEntities` first in its list of entities. */
import type { InferKyselyDB } from "@mikro-orm/sql";
import { bytesColumn, countColumn, defineEntity, idColumn, jsonColumn, p, timeColumn } from "./schema.ts";

/** The trace in which a row was made, as `traceparent`; null where none was recorded. */
const traceColumn = () => p.string().length(55).nullable();

/** One row per change, in the order of commits within its partition. */
export const ChangeEntity = defineEntity({
  name: "Change",
  tableName: "change",
  properties: {
    partition: p.string().length(36).primary(),
    sequence: p.bigint("number").primary(),
    kind: p.string().length(64),
    /** What the change is about, for filters; what kind of thing is the service's affair. */
    subjectId: idColumn().nullable(),
    payload: bytesColumn(),
    occurredAt: timeColumn(),
    trace: traceColumn(),
  },
  indexes: [
    { name: "change_partition_subject", properties: ["partition", "subjectId", "sequence"] },
    { name: "change_occurred_at", properties: ["occurredAt"] },
  ],
});

/** The last sequence number given in each partition. */
export const ChangeSequenceEntity = defineEntity({
  name: "ChangeSequence",
  tableName: "change_sequence",
  properties: {
    partition: p.string().length(36).primary(),
    n: countColumn(),
    /** The newest number that trimming has removed; a cursor before it has lost rows. */
    trimmed: countColumn().default(0),
  },
});

/** Work to be done after the transaction that asked for it. */
export const JobEntity = defineEntity({
  name: "Job",
  tableName: "job",
  properties: {
    id: idColumn().primary(),
    kind: p.string().length(64),
    /** At most one unfinished job of a kind has this key; finished and keyless jobs hold null. */
    uniqueKey: p.string().length(200).nullable(),
    payload: jsonColumn(),
    /** `pending`, `running`, `done` or `dead`. */
    state: p.string().length(8),
    runAt: timeColumn(),
    attempts: p.integer().default(0),
    maxAttempts: p.integer(),
    leaseUntil: timeColumn().nullable(),
    /** Grows with each claim: who works under an older one has lost the job. */
    leaseToken: countColumn().default(0),
    lastError: p.string().length(1000).nullable(),
    createdAt: timeColumn(),
    finishedAt: timeColumn().nullable(),
    trace: traceColumn(),
  },
  uniques: [{ name: "job_kind_key", properties: ["kind", "uniqueKey"] }],
  indexes: [
    { name: "job_due", properties: ["state", "runAt"] },
    { name: "job_finished", properties: ["state", "finishedAt"] },
  ],
});

/** The first answer to each request_id. */
export const RequestRecordEntity = defineEntity({
  name: "RequestRecord",
  tableName: "request_record",
  properties: {
    subject: p.string().length(80).primary(),
    method: p.string().length(160).primary(),
    requestId: idColumn().primary(),
    requestHash: p.string().length(64),
    response: bytesColumn(),
    createdAt: timeColumn(),
  },
  indexes: [{ name: "request_record_created_at", properties: ["createdAt"] }],
});

/** To be spread into each service's list of entities. */
export const runtimeEntities = [ChangeEntity, ChangeSequenceEntity, JobEntity, RequestRecordEntity] as const;

/** The runtime's tables as Kysely knows them; every service's tables extend this. */
export type RuntimeTables = InferKyselyDB<(typeof runtimeEntities)[number]>;
