// What the service does by itself: jobs asked for by transactions, and housekeeping that comes back.
import type { Clock } from "@docket/runtime/clock";
import { trimChanges } from "@docket/runtime/changelog/trim";
import { forgetRequests, REQUEST_RECORD_LIFE_MS } from "@docket/runtime/db/request_record";
import type { JobHandlers, PeriodicJob } from "@docket/runtime/queue/worker";
import type { Clients } from "../clients.ts";
import type { DocumentConfig } from "../config.ts";
import type { Events } from "../events.ts";
import type { DocumentDatabase, Tables } from "../store/entities.ts";
import { forgetArchives } from "../store/archives.ts";
import { forgetOperations } from "../store/operations.ts";
import { failDeadPurges, purgeHandler, purgeJob, releaseJob } from "./purge.ts";
import { releaseReferences } from "./references.ts";
import { removeWorkspaceHandler, removeWorkspaceJob } from "./workspaces.ts";

export interface JobOptions {
  readonly db: DocumentDatabase;
  readonly clients: Clients;
  readonly events: Events;
  readonly clock: Clock;
}

/** The handlers by kind of job. */
export function jobHandlers({ db, clients, events, clock }: JobOptions): JobHandlers<Tables> {
  return {
    [purgeJob]: purgeHandler(db, events, clock),
    [removeWorkspaceJob]: removeWorkspaceHandler(db, events, clock),
    [releaseJob]: async (job, _db, signal) => {
      const { versionIds } = job.payload as { versionIds: string[] };
      await releaseReferences(clients.blobs, versionIds, signal);
    },
  };
}

const minute = 60_000;
const hour = 3_600_000;

/** What comes back by itself. */
export function housekeeping(
  { db, clock }: JobOptions,
  { changesKeptMs, operationsKeptMs }: Pick<DocumentConfig, "changesKeptMs" | "operationsKeptMs">,
): Record<string, PeriodicJob<Tables>> {
  const before = (ms: number) => new Date(clock().getTime() - ms);
  const every = (run: () => Promise<unknown>): PeriodicJob<Tables> => ({
    everyMs: hour,
    run: async () => void (await run()),
  });
  return {
    fail_dead_purges: { everyMs: minute, run: () => failDeadPurges(db, clock().getTime()) },
    trim_changes: every(() => trimChanges(db, before(changesKeptMs))),
    forget_requests: every(() => forgetRequests(db, before(REQUEST_RECORD_LIFE_MS))),
    forget_archives: every(() => forgetArchives(db.query, clock().getTime())),
    forget_operations: every(() => forgetOperations(db.query, before(operationsKeptMs).getTime())),
  };
}
