// Applies what the user service tells: memberships that are stale, streams that end, principals and workspaces that are
// gone. At least once; applying a change twice does no harm.
import type { UserChange } from "@docket/contracts/gen/docket/user/v1/user_change_pb.ts";
import type { LiveStreams } from "@docket/runtime/interceptors/live_streams";
import type { Logger } from "@docket/runtime/logger";
import type { MembershipCache } from "@docket/runtime/membership";
import { enqueue } from "@docket/runtime/queue/queue";
import { endStreamsOf, followUserChanges } from "@docket/runtime/user_changes";
import type { Clients } from "../clients.ts";
import type { DocumentDatabase, Tx } from "../store/entities.ts";
import { readPosition, writePosition } from "../store/followers.ts";
import { removeGrantsTo } from "../store/grants.ts";
import { removeWorkspaceJob } from "./workspaces.ts";

/** The log that is followed, as the position is kept. */
const log = "user";

export interface FollowOptions {
  readonly db: DocumentDatabase;
  readonly client: Clients["userChanges"];
  readonly membership: MembershipCache;
  readonly liveStreams: LiveStreams;
  readonly logger: Logger;
  /** Told when access in a workspace may have changed; without an id, in any. */
  readonly onAccessChanged?: (workspaceId: string | undefined) => void;
}

export function followUsers({
  db,
  client,
  membership,
  liveStreams,
  logger,
  onAccessChanged,
}: FollowOptions): AsyncDisposable {
  return followUserChanges({
    client,
    logger,
    load: () => readPosition(db.query, log),
    async apply(changes, cursor) {
      for (const change of changes) {
        const stale = staleAfter(change);
        if (stale !== undefined) membership.forget(stale);
        endStreamsOf(change, liveStreams);
        if (stale !== undefined) onAccessChanged?.(stale);
      }
      await db.transaction(async (tx) => {
        for (const change of changes) await applyChange(tx, change);
        await writePosition(tx, log, cursor);
      });
    },
    onGap() {
      membership.forgetAll();
      onAccessChanged?.(undefined);
    },
  });
}

/** The workspace or subject whose memberships are stale. */
function staleAfter({ event }: UserChange): string | undefined {
  switch (event.case) {
    case "accessChanged":
    case "memberRemoved":
    case "groupDeleted":
    case "workspaceDeleted":
    case "applicationRemoved":
    case "keyRevoked":
      return event.value.workspaceId;
    case "userDisabled":
    case "userEnabled":
      return event.value.userId;
    default:
      return undefined;
  }
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
