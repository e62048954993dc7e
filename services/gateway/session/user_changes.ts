// Follows the user service's changes, to end at once what a session, key or person has open here.

import type { Client } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { UserChange } from "@docket/contracts/gen/docket/user/v1/user_change_pb.ts";
import type { UserChangeService } from "@docket/contracts/gen/docket/user/v1/user_change_service_pb.ts";
import type { Subject } from "@docket/runtime/call";
import { reasonOf } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import type { Logger } from "@docket/runtime/logger";
import type { OpenStreams } from "./open_streams.ts";
import { rememberedMs } from "./sessions.ts";

/** The stream speaks at least every 10 s; silent for longer than this, it is dead. */
const silenceMs = 15_000;

/** Whose access a change ends; undefined when it ends nobody's here. */
export function endedBy(change: UserChange): ((subject: Subject) => boolean) | undefined {
  const { event } = change;
  switch (event.case) {
    case "sessionEnded":
      return ({ sessionId }) => sessionId === event.value.sessionId;
    case "userDisabled":
      return ({ kind, id }) => kind === "person" && id === event.value.userId;
    case "keyRevoked":
      return ({ keyId }) => keyId === event.value.keyId;
    case "applicationRemoved":
      return ({ kind, id }) => kind === "application" && id === event.value.applicationId;
    case "workspaceDeleted":
      return ({ workspaceId }) => workspaceId === event.value.workspaceId;
    default:
      return undefined;
  }
}

export interface UserChangesOptions {
  readonly client: Client<typeof UserChangeService>;
  readonly streams: OpenStreams;
  readonly logger: Logger;
}

/** Follows until disposed of; comes back by itself after each outage. */
export function followUserChanges({ client, streams, logger }: UserChangesOptions): Disposable {
  const over = new AbortController();
  let heardAt = 0;
  let cursor = "";
  const heard = () => {
    heardAt = Date.now();
  };

  const follow = async () => {
    const silent = new AbortController();
    const dog = setInterval(() => Date.now() - heardAt > silenceMs && silent.abort(), 1000);
    heard();
    try {
      const signal = AbortSignal.any([over.signal, silent.signal]);
      for await (const answer of client.watchUserChanges({ cursor }, { signal })) {
        heard();
        for (const change of answer.changes) {
          const matches = endedBy(change);
          if (matches !== undefined) streams.end(matches);
        }
        cursor = answer.cursor;
      }
    } finally {
      clearInterval(dog);
      heardAt = 0;
    }
  };

  const run = async () => {
    let pauseMs = 50;
    while (!over.signal.aborted) {
      try {
        await follow();
        pauseMs = 50;
      } catch (error) {
        if (over.signal.aborted) return;
        const reason = reasonOf(error);
        // What happened meanwhile is unknown; nothing is kept here for longer than a second, and streams are asked about.
        if (reason === Reason.USER_CURSOR_EXPIRED) cursor = "";
        if (reason !== Reason.RESUME) logger.debug({ err: error }, "the user service's changes cannot be followed; trying again");
      }
      await pause(pauseMs, over.signal);
      pauseMs = Math.min(1000, pauseMs * 2);
    }
  };
  void run();

  const recheck = setInterval(() => {
    if (heardAt === 0) void streams.recheck(newId());
  }, rememberedMs).unref();

  return {
    [Symbol.dispose]() {
      over.abort();
      clearInterval(recheck);
    },
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done, { once: true });
  });
}
