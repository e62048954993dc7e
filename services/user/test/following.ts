// Follows the log of user changes, as other services do.

import type { UserChange } from "@docket/contracts/gen/docket/user/v1/user_change_pb.ts";
import { eventually } from "@docket/runtime/testing/eventually";
import type { World } from "./world.ts";

export interface Following extends AsyncDisposable {
  readonly changes: UserChange[];
  /** The cursor of the last answer. */
  cursor(): string;
  kinds(): string[];
  /** Waits until a change of this kind came. */
  until(kind: string): Promise<UserChange>;
}

/** Begins at a cursor, or at the present; what happens after this resolves is seen. */
export async function follow(world: World, cursor = ""): Promise<Following> {
  const stop = new AbortController();
  const changes: UserChange[] = [];
  let last = "";
  const answers = world.changes.watchUserChanges({ cursor }, { signal: stop.signal })[Symbol.asyncIterator]();
  last = (await answers.next()).value?.cursor ?? "";
  const reading = (async () => {
    for (;;) {
      const { value, done } = await answers.next();
      if (done) return;
      changes.push(...value.changes);
      last = value.cursor;
    }
  })().catch(() => undefined);
  return {
    changes,
    cursor: () => last,
    kinds: () => changes.map(({ event }) => event.case ?? ""),
    until: (kind) => eventually(() => changes.find(({ event }) => event.case === kind) ?? (false as const)),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await reading;
    },
  };
}
