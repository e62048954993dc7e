import { trimChanges } from "@docket/runtime/changelog/trim";
import { forgetRequests, REQUEST_RECORD_LIFE_MS } from "@docket/runtime/db/request_record";
import type { PeriodicJob } from "@docket/runtime/queue/worker";
import { deleteExpiredCredentials } from "../store/credential_store.ts";
import type { Tables } from "../store/entities.ts";
import { deleteEndedSessions } from "../store/session_store.ts";
import { deleteOldThrottles } from "../store/throttle_store.ts";
import type { Deps } from "./deps.ts";
import { livenessOf } from "./sessions.ts";

const day = 86_400_000;
/** How long changes are kept, as the contract says, in milliseconds. */
const changeLifeMs = 90 * day;
/** How long a source that an account was signed in from is remembered, in milliseconds. */
const sourceLifeMs = 180 * day;
/** Nothing that is slowed is remembered for longer, in milliseconds. */
const throttleLifeMs = 2 * day;

/** Removes what nobody needs any more. */
export function housekeeping(deps: Deps): Readonly<Record<string, PeriodicJob<Tables>>> {
  const { db, clock } = deps;
  return {
    housekeeping: {
      everyMs: 3_600_000,
      async run() {
        const ago = (ms: number) => new Date(clock().getTime() - ms);
        await deleteEndedSessions(db.query, livenessOf(deps));
        await deleteExpiredCredentials(db.query, clock());
        await deleteOldThrottles(db.query, ago(throttleLifeMs), ago(sourceLifeMs));
        await forgetRequests(db, ago(REQUEST_RECORD_LIFE_MS));
        await trimChanges(db, ago(changeLifeMs));
      },
    },
  };
}
