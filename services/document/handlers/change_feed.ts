// ChangeFeedService: the log of whole workspaces, for services that pass it on. Nobody's access is judged here.
import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { ChangeFeedService } from "@docket/contracts/gen/docket/document/v1/change_feed_service_pb.ts";
import { type Change, ChangeKind, ChangeSchema } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { encodeCursor } from "@docket/runtime/changelog/cursor";
import { type Change as LogRow, ChangesTrimmed, heads, trimmedUpTo } from "@docket/runtime/changelog/read";
import type { Tailer } from "@docket/runtime/changelog/tailer";
import { AppError } from "@docket/runtime/errors";
import type { DocumentDatabase } from "../store/entities.ts";
import { entryOf } from "../watching/entry.ts";

/** How long the stream may be silent, in milliseconds. */
const heartbeatMs = 10_000;

export interface FeedOptions {
  readonly db: DocumentDatabase;
  readonly tailer: Tailer;
}

export function changeFeedHandlers({ db, tailer }: FeedOptions): ServiceImpl<typeof ChangeFeedService> {
  return {
    async getFeedPlaces({ workspaceIds }) {
      const newest = await heads(db, workspaceIds);
      return { places: workspaceIds.map((workspaceId) => placeOf(workspaceId, newest.get(workspaceId) ?? 0)) };
    },

    async *followChanges(request, { signal }) {
      const places = new Map<string, number>();
      const asked = new Map(request.places.map(({ workspaceId, sequence }) => [workspaceId, Number(sequence)]));
      const [newest, oldest] = await Promise.all([heads(db, [...asked.keys()]), trimmedUpTo(db, [...asked.keys()])]);
      for (const [workspaceId, sequence] of asked) {
        const head = newest.get(workspaceId) ?? 0;
        // A place beyond the end was given before this database was restored from an older backup.
        const place = sequence > head ? head : Math.max(sequence, oldest.get(workspaceId) ?? 0);
        places.set(workspaceId, place);
        if (place !== sequence) yield { changes: [], place: placeOf(workspaceId, place), gap: true };
      }
      const follower = tailer.follow(places, { signal });
      const rows = follower[Symbol.asyncIterator]();
      try {
        const read = () => {
          const step = rows.next();
          // Who has gone away does not wait for it any more.
          step.catch(() => undefined);
          return step;
        };
        let next = read();
        for (;;) {
          const step = await orHeartbeat(next);
          if (signal.aborted) return;
          if (step === undefined) {
            yield { changes: [] };
            continue;
          }
          if (step.done) throw new AppError(Reason.RESUME);
          next = read();
          const last = step.value.at(-1);
          if (last === undefined) continue;
          yield { changes: step.value.flatMap(told), place: placeOf(last.partition, last.sequence) };
        }
      } catch (error) {
        // Trimmed while it was read: the next call is told the gap.
        throw error instanceof ChangesTrimmed ? new AppError(Reason.RESUME, { cause: error }) : error;
      } finally {
        follower.end();
      }
    },
  };
}

function placeOf(workspaceId: string, sequence: number) {
  return { workspaceId, sequence: BigInt(sequence) };
}

/** A row as somebody is told it who sees everything; rows for one principal alone are told to nobody. */
function told(row: LogRow): Change[] {
  const { change } = entryOf(row);
  if (change.kind === ChangeKind.ACCESS_GAINED || change.kind === ChangeKind.ACCESS_LOST) return [];
  return [create(ChangeSchema, { ...change, cursor: encodeCursor(new Map([[row.partition, row.sequence]])) })];
}

/** What comes first: the rows, or a heartbeat (undefined). */
async function orHeartbeat<Step>(next: Promise<Step>): Promise<Step | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const beat = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, heartbeatMs, undefined);
  });
  try {
    return await Promise.race([next, beat]);
  } finally {
    clearTimeout(timer);
  }
}
