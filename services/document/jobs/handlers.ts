// What the service does by itself: jobs asked for by transactions, and housekeeping that comes back.

import { trimChanges } from "@docket/runtime/changelog/trim";
import type { Clock } from "@docket/runtime/clock";
import { forgetRequests, REQUEST_RECORD_LIFE_MS } from "@docket/runtime/db/request_record";
import type { MembershipCache } from "@docket/runtime/membership";
import type { JobHandler, JobHandlers, PeriodicJob } from "@docket/runtime/queue/worker";
import type { Clients } from "../clients.ts";
import type { DocumentConfig } from "../config.ts";
import type { Events } from "../events.ts";
import { forgetArchives } from "../store/archives.ts";
import type { DocumentDatabase, Tables } from "../store/entities.ts";
import { forgetOperations } from "../store/operations.ts";
import { failDeadPurges, purgeHandler, purgeJob, releaseJob } from "./purge.ts";
import { releaseReferences } from "./references.ts";
import { mailReminder, reminderMailJob, tellDue } from "./reminders.ts";
import { thinVersions } from "./thinning.ts";
import { emptyTrash } from "./trash.ts";
import { removeWorkspaceHandler, removeWorkspaceJob } from "./workspaces.ts";

export interface JobOptions {
  readonly db: DocumentDatabase;
  readonly clients: Clients;
  readonly membership: MembershipCache;
  readonly events: Events;
  readonly clock: Clock;
  /** Settles the references that storage holds for versions of unfinished calls. */
  readonly settleReferences: () => Promise<void>;
}

/** The handlers by kind of job. */
export function jobHandlers(options: JobOptions): JobHandlers<Tables> {
  const { db, clients, events, clock } = options;
  return {
    [reminderMailJob]: mailReminder(options),
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

/** What comes back by itself, one run at a time over all processes. */
export function housekeeping(
  options: JobOptions,
  {
    changesKeptMs,
    operationsKeptMs,
    remindAt,
    retention,
    references,
  }: Pick<DocumentConfig, "changesKeptMs" | "operationsKeptMs" | "remindAt" | "retention" | "references">,
): Record<string, PeriodicJob<Tables>> {
  const { db, clock } = options;
  const before = (ms: number) => new Date(clock().getTime() - ms);
  const every = (everyMs: number, run: () => Promise<unknown>): PeriodicJob<Tables> => ({
    everyMs,
    run: async () => void (await run()),
  });
  const by = (everyMs: number, run: JobHandler<Tables>): PeriodicJob<Tables> => ({ everyMs, run });
  const thinning = {
    dailyAfterMs: retention.versionsDailyAfterMs,
    monthlyAfterMs: retention.versionsMonthlyAfterMs,
  };
  return {
    settle_references: every(references.intervalMs, options.settleReferences),
    tell_due: by(2 * minute, tellDue(options, remindAt)),
    empty_trash: by(hour, emptyTrash(options, retention.trashKeptMs)),
    thin_versions: by(12 * hour, thinVersions(options, thinning)),
    fail_dead_purges: every(minute, () => failDeadPurges(db, clock().getTime())),
    trim_changes: every(hour, () => trimChanges(db, before(changesKeptMs))),
    forget_requests: every(hour, () => forgetRequests(db, before(REQUEST_RECORD_LIFE_MS))),
    forget_archives: every(hour, () => forgetArchives(db.query, clock().getTime())),
    forget_operations: every(hour, () => forgetOperations(db.query, before(operationsKeptMs).getTime())),
  };
}
