// Hears from the user service at once when a session, key or person loses access, and ends what they have open here.
// While it cannot be heard, those with open streams are asked about once a second.

import type { Client } from "@connectrpc/connect";
import type { UserChange } from "@docket/contracts/gen/docket/user/v1/user_change_pb.ts";
import type { UserChangeService } from "@docket/contracts/gen/docket/user/v1/user_change_service_pb.ts";
import type { Subject } from "@docket/runtime/call";
import { newId } from "@docket/runtime/ids";
import type { Logger } from "@docket/runtime/logger";
import type { HotCopies } from "@docket/runtime/redis/hot_copies";
import { followUserChanges } from "@docket/runtime/user_changes";
import type { OpenStreams } from "./open_streams.ts";
import { rememberedMs } from "./sessions.ts";
import { ownersOf } from "./subject_copy.ts";

/** The stream speaks at least every 10 s; silent for longer than this, it is taken for dead. */
const silenceMs = 15_000;

/** Whose access a change ends; undefined when it ends nobody's here. */
export function endedBy({ event }: UserChange): ((subject: Subject) => boolean) | undefined {
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

export interface EndingsOptions {
  readonly client: Client<typeof UserChangeService>;
  readonly streams: OpenStreams;
  readonly logger: Logger;
  /** Where endings are told of as well, whichever replica of the user service can be heard. */
  readonly copies?: HotCopies | undefined;
}

/** Follows until disposed of. */
export function followEndings({ client, streams, logger, copies }: EndingsOptions): AsyncDisposable {
  const told = copies?.onEnded((ended) => streams.end((subject) => ownersOf(subject).some((id) => ended.has(id))));
  let heardAt = Number.NEGATIVE_INFINITY;
  const audible: Client<typeof UserChangeService> = {
    watchUserChanges: (request, options) =>
      heard(client.watchUserChanges(request, options), () => {
        heardAt = Date.now();
      }),
  };
  const following = followUserChanges({
    client: audible,
    logger,
    apply: (changes) => {
      for (const change of changes) {
        const matches = endedBy(change);
        if (matches !== undefined) streams.end(matches);
      }
    },
    // Nothing is kept here for longer than a second; streams are asked about below.
    onGap: () => streams.recheck(newId()),
  });
  const recheck = setInterval(() => {
    if (Date.now() - heardAt > silenceMs) void streams.recheck(newId());
  }, rememberedMs).unref();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(recheck);
      told?.[Symbol.dispose]();
      await following[Symbol.asyncDispose]();
    },
  };

  async function* heard<T>(answers: AsyncIterable<T>, each: () => void): AsyncGenerator<T> {
    try {
      for await (const answer of answers) {
        each();
        yield answer;
      }
    } finally {
      heardAt = Number.NEGATIVE_INFINITY;
    }
  }
}
