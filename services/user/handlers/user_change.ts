import { fromBinary } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { UserChangeSchema } from "@docket/contracts/gen/docket/user/v1/user_change_pb.ts";
import type { UserChangeService } from "@docket/contracts/gen/docket/user/v1/user_change_service_pb.ts";
import { callOf } from "@docket/runtime/call";
import { type Change, heads } from "@docket/runtime/changelog/read";
import { AppError } from "@docket/runtime/errors";
import type { Deps } from "./deps.ts";
import { changePartition } from "./writing.ts";

/** How long the stream is silent before it says that it lives, in milliseconds. */
const heartbeatMs = 10_000;

/** How other services learn what changed here. */
export function userChangeHandlers({ db, tailer }: Deps): ServiceImpl<typeof UserChangeService> {
  return {
    async *watchUserChanges({ cursor: asked }, context) {
      const head = (await heads(db, [changePartition])).get(changePartition) ?? 0;
      let position = asked === "" ? head : Number(asked);
      // From a log that this one is not, for example of a database that was restored from a backup.
      if (position > head) throw new AppError(Reason.USER_CURSOR_EXPIRED);
      yield { changes: [], cursor: String(position) };

      const { signal } = callOf(context);
      const follower = tailer.follow([[changePartition, position]], { signal });
      const batches = follower[Symbol.asyncIterator]();
      try {
        let next = batches.next();
        for (;;) {
          const batch = await within(next, heartbeatMs);
          if (batch === "silence") {
            yield { changes: [], cursor: String(position) };
            continue;
          }
          if (batch.done) return;
          position = batch.value.at(-1)?.sequence ?? position;
          yield { changes: batch.value.map(decode), cursor: String(position) };
          next = batches.next();
        }
      } catch (error) {
        if ((error as { name?: string }).name === "ChangesTrimmed") {
          throw new AppError(Reason.USER_CURSOR_EXPIRED, { cause: error });
        }
        throw error;
      } finally {
        follower.end();
      }
    },
  };
}

function decode({ payload }: Change) {
  return fromBinary(UserChangeSchema, payload);
}

/** What a promise gives, unless it takes too long; it may be asked again. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | "silence"> {
  const { promise: silence, resolve } = Promise.withResolvers<"silence">();
  const timer = setTimeout(resolve, ms, "silence");
  try {
    return await Promise.race([promise, silence]);
  } finally {
    clearTimeout(timer);
  }
}
