// Follows what the user service tells, in two ways: every server forgets memberships that are stale, and one of the workers
// removes the webhooks of workspaces that are gone.
import type { LiveStreams } from "@docket/runtime/interceptors/live_streams";
import type { Logger } from "@docket/runtime/logger";
import type { MembershipCache } from "@docket/runtime/membership";
import { enqueue } from "@docket/runtime/queue/queue";
import { CursorMoved, endStreamsOf, followUserChanges, staleAfter } from "@docket/runtime/user_changes";
import type { Clients } from "../clients.ts";
import type { Events } from "../events.ts";
import type { IntegrationDatabase, Tx } from "../store/entities.ts";
import { endFeed } from "../store/feeds.ts";
import { movePosition, readPosition } from "../store/followers.ts";
import { removeWebhook, webhooksOf } from "../store/webhooks.ts";
import { removeJob } from "./deliver_job.ts";

/** The log that is followed, as the position is kept. */
const log = "user";

export interface FollowOptions {
  readonly db: IntegrationDatabase;
  readonly client: Clients["userChanges"];
  readonly logger: Logger;
}

/** Keeps what this process remembers in step. */
export function followUsers(
  options: FollowOptions & { readonly membership: MembershipCache; readonly liveStreams: LiveStreams },
): AsyncDisposable {
  const { db, client, logger, membership, liveStreams } = options;
  return followUserChanges({
    client,
    logger,
    load: () => readPosition(db.query, log),
    apply(changes) {
      for (const change of changes) {
        const stale = staleAfter(change);
        if (stale !== undefined) membership.forget(stale);
        endStreamsOf(change, liveStreams);
      }
    },
    onGap: () => membership.forgetAll(),
  });
}

/** Removes webhooks of deleted workspaces. Several workers may: each change is applied in effect once. */
export function applyUserChanges(options: FollowOptions & { readonly events: Events }): AsyncDisposable {
  const { db, client, logger, events } = options;
  let from = "";
  return followUserChanges({
    client,
    logger,
    async load() {
      from = await readPosition(db.query, log);
      return from;
    },
    async apply(changes, cursor) {
      const deleted = changes.flatMap(({ event }) =>
        event.case === "workspaceDeleted" ? [event.value.workspaceId] : [],
      );
      const removed = await db.transaction(async (tx) => {
        if (!(await movePosition(tx, log, from, cursor))) throw new CursorMoved();
        const counts: (readonly [string, number])[] = [];
        for (const id of deleted) counts.push([id, await removeWorkspace(tx, id)]);
        return counts;
      });
      from = cursor;
      for (const [id, count] of removed) if (count > 0) events.workspaceRemoved(id, count);
    },
    async onGap() {
      await db.transaction((tx) => movePosition(tx, log, from, ""));
      from = "";
    },
  });
}

/** Removes the webhooks of a workspace; how many there were. */
async function removeWorkspace(tx: Tx, workspaceId: string): Promise<number> {
  const webhooks = await webhooksOf(tx, workspaceId).execute();
  for (const { id } of webhooks) {
    await removeWebhook(tx, id);
    await enqueue(tx, removeJob(id));
  }
  await endFeed(tx, workspaceId);
  return webhooks.length;
}
