// Follows what the user service tells, in two ways. Every server forgets memberships that are stale and ends streams of
// its own. What is kept here (grants, workspaces) is changed once for all processes: by whichever worker moves the saved
// cursor on, in the same transaction. Applying a change twice would do no harm.
import type { UserChange } from "@docket/contracts/gen/docket/user/v1/user_change_pb.ts";
import type { LiveStreams } from "@docket/runtime/interceptors/live_streams";
import type { Logger } from "@docket/runtime/logger";
import type { MembershipCache } from "@docket/runtime/membership";
import { enqueue } from "@docket/runtime/queue/queue";
import { CursorMoved, endStreamsOf, followUserChanges, staleAfter } from "@docket/runtime/user_changes";
import type { Clients } from "../clients.ts";
import type { DocumentDatabase, Tx } from "../store/entities.ts";
import { movePosition, readPosition } from "../store/followers.ts";
import { removeGrantsTo } from "../store/grants.ts";
import { removeWorkspaceJob } from "./workspaces.ts";

/** The log that is followed, as the position is kept. */
const log = "user";

export interface FollowOptions {
  readonly db: DocumentDatabase;
  readonly client: Clients["userChanges"];
  readonly logger: Logger;
}

export interface ServerFollowOptions extends FollowOptions {
  readonly membership: MembershipCache;
  readonly liveStreams: LiveStreams;
  /** Told when access in a workspace may have changed; without an id, in any. */
  readonly onAccessChanged?: (workspaceId: string | undefined) => void;
}

/** Keeps what this process remembers in step. */
export function followUsers(options: ServerFollowOptions): AsyncDisposable {
  const { db, client, membership, liveStreams, logger, onAccessChanged } = options;
  return followUserChanges({
    client,
    logger,
    // Not the present: something may have ended between the start and the first answer.
    load: () => readPosition(db.query, log),
    apply(changes) {
      for (const change of changes) {
        const stale = staleAfter(change);
        if (stale !== undefined) membership.forget(stale);
        endStreamsOf(change, liveStreams);
        if (stale !== undefined) onAccessChanged?.(stale);
      }
    },
    onGap() {
      membership.forgetAll();
      onAccessChanged?.(undefined);
    },
  });
}

/** Changes what is kept here. Several workers may: each change is applied in effect once. */
export function applyUserChanges({ db, client, logger }: FollowOptions): AsyncDisposable {
  let from = "";
  return followUserChanges({
    client,
    logger,
    async load() {
      from = await readPosition(db.query, log);
      return from;
    },
    async apply(changes, cursor) {
      await db.transaction(async (tx) => {
        if (!(await movePosition(tx, log, from, cursor))) throw new CursorMoved();
        for (const change of changes) await applyChange(tx, change);
      });
      from = cursor;
    },
    async onGap() {
      await db.transaction((tx) => movePosition(tx, log, from, ""));
      from = "";
    },
  });
}

async function applyChange(tx: Tx, { event }: UserChange): Promise<void> {
  switch (event.case) {
    case "memberRemoved":
      // Who comes back later begins anew; what they made stays.
      return removeGrantsTo(tx, event.value.workspaceId, `person:${event.value.userId}`);
    case "groupDeleted":
      return removeGrantsTo(tx, event.value.workspaceId, `group:${event.value.groupId}`);
    case "applicationRemoved":
      return removeGrantsTo(tx, event.value.workspaceId, `application:${event.value.applicationId}`);
    case "workspaceDeleted": {
      const { workspaceId } = event.value;
      await enqueue(tx, { kind: removeWorkspaceJob, key: workspaceId, payload: { workspaceId } });
    }
  }
}
