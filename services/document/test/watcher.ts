// A watcher for tests: opens a stream, keeps what it was told, and waits for more.
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { type Change, ChangeKindSchema } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import type {
  ChangeService,
  WatchChangesRequestSchema,
} from "@docket/contracts/gen/docket/document/v1/change_service_pb.ts";
import { enumName } from "@docket/contracts/policy";
import { eventually } from "@docket/runtime/testing/eventually";
import { reasonOf, type Somebody } from "./world.ts";

export interface Watcher extends AsyncDisposable {
  /** Everything told so far, in order. */
  readonly changes: Change[];
  /** The cursor of the last message. */
  readonly cursor: string;
  /** How many messages came. */
  readonly messages: number;
  /** Waits until it is open: its first message has come. */
  opened(): Promise<void>;
  /** Waits until so many changes were told. */
  told(count: number): Promise<Change[]>;
  /** Waits for the end of the stream, and says why it ended. */
  ended(): Promise<string>;
}

/** Opens a stream; it is ended when disposed. */
export function watch(
  changes: Client<typeof ChangeService>,
  who: Somebody,
  request: MessageInitShape<typeof WatchChangesRequestSchema>,
): Watcher {
  const stop = new AbortController();
  const told: Change[] = [];
  const state = { cursor: "", messages: 0 };
  const reading = (async () => {
    for await (const message of changes.watchChanges(request, { ...who.as, signal: stop.signal })) {
      told.push(...message.changes);
      state.cursor = message.cursor;
      state.messages += 1;
    }
  })();
  const end = reasonOf(reading);
  return {
    changes: told,
    get cursor() {
      return state.cursor;
    },
    get messages() {
      return state.messages;
    },
    async opened() {
      await eventually(() => state.messages > 0);
    },
    async told(count) {
      await eventually(() => {
        if (told.length >= count) return true;
        throw new Error(`told ${told.length} of ${count}: ${kindsOf(told).join(" ")}`);
      });
      return told;
    },
    ended: () => end,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await end;
    },
  };
}

/** The kinds of some changes by name. */
export function kindsOf(changes: readonly Change[]): string[] {
  return changes.map(({ kind }) => enumName(ChangeKindSchema, kind));
}
