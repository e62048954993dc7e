// Follows the user service's log of changes: ended sessions, disabled accounts, changed access, deleted workspaces. What
// must happen at once (streams that end, memberships that are forgotten) and what must happen for sure (contents of a
// deleted workspace) both come this way.

import { setTimeout as pause } from "node:timers/promises";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { UserChange } from "@docket/contracts/gen/docket/user/v1/user_change_pb.ts";
import type { UserChangeService } from "@docket/contracts/gen/docket/user/v1/user_change_service_pb.ts";
import { reasonOf } from "./errors.ts";
import type { LiveStreams } from "./interceptors/live_streams.ts";
import type { Logger } from "./logger.ts";

/** Thrown by `apply`: another process has applied these changes, or some of them. The cursor is loaded again. */
export class CursorMoved extends Error {
  override readonly name = "CursorMoved";
}

/** What a follower is made from. */
export interface UserChangeOptions {
  readonly client: Client<typeof UserChangeService>;
  readonly logger: Logger;
  /** Where to begin: the cursor saved last. Default: the present, for followers that keep nothing. */
  readonly load?: () => Promise<string>;
  /**
   * Applies changes in order and, where something is kept, saves the cursor in the same transaction. At least once: the
   * same changes may come again. What it throws is logged, and the changes come again after a while. Where several
   * processes share a saved cursor, it throws {@link CursorMoved} when that is no longer where these changes begin.
   */
  readonly apply: (changes: readonly UserChange[], cursor: string) => Promise<void> | void;
  /** The log no longer reaches back to the cursor: whatever was kept of the user service is stale. */
  readonly onGap?: () => Promise<void> | void;
}

const firstPauseMs = 100;
const longestPauseMs = 5000;

/** Follows until disposed; connects again by itself. */
export function followUserChanges({ client, logger, load, apply, onGap }: UserChangeOptions): AsyncDisposable {
  const stop = new AbortController();
  const { signal } = stop;
  const follow = async () => {
    let cursor: string | undefined;
    let pauseMs = firstPauseMs;
    while (!signal.aborted) {
      try {
        cursor ??= (await load?.()) ?? "";
        for await (const answer of client.watchUserChanges({ cursor }, { signal })) {
          if (answer.changes.length > 0 || answer.cursor !== cursor) await apply(answer.changes, answer.cursor);
          cursor = answer.cursor;
          pauseMs = firstPauseMs;
        }
      } catch (error) {
        if (signal.aborted) return;
        const reason = reasonOf(error);
        const away = ConnectError.from(error).code === Code.Unavailable;
        if (error instanceof CursorMoved) {
          cursor = undefined;
          logger.debug("another process is ahead in the user service's changes");
        } else if (reason === Reason.USER_CURSOR_EXPIRED) {
          logger.error("the log of user changes no longer reaches back to where this service was");
          await onGap?.();
          cursor = "";
        } else if (away) {
          // Also how a stream ends in good order, with RESUME.
          if (reason !== Reason.RESUME) logger.info("the user service is away; its changes are asked for again");
        } else {
          logger.warn({ err: error }, "the stream of user changes broke; it is opened again");
        }
      }
      await pause(pauseMs * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
      pauseMs = Math.min(longestPauseMs, pauseMs * 2);
    }
  };
  const followed = follow();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await followed;
    },
  };
}

/** Ends the open streams that a change is about. */
export function endStreamsOf(change: UserChange, liveStreams: LiveStreams): void {
  const { event } = change;
  if (event.case === "sessionEnded") {
    liveStreams.revoke((subject) => subject.sessionId === event.value.sessionId);
  } else if (event.case === "userDisabled") {
    liveStreams.revoke((subject) => subject.kind === "person" && subject.id === event.value.userId);
  } else if (event.case === "keyRevoked") {
    liveStreams.revoke((subject) => subject.keyId === event.value.keyId);
  } else if (event.case === "applicationRemoved") {
    liveStreams.revoke((subject) => subject.kind === "application" && subject.id === event.value.applicationId);
  }
}

/** The ids whose access a change ends: of a session, person, key, application or workspace. */
export function endedBy({ event }: UserChange): string[] {
  switch (event.case) {
    case "sessionEnded":
      return [event.value.sessionId];
    case "userDisabled":
      return [event.value.userId];
    case "keyRevoked":
      return [event.value.keyId];
    case "applicationRemoved":
      return [event.value.applicationId];
    case "workspaceDeleted":
      return [event.value.workspaceId];
    default:
      return [];
  }
}

/** The workspace or subject whose memberships a change makes stale; undefined when none are. */
export function staleAfter({ event }: UserChange): string | undefined {
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
