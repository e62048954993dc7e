// Follows the changes of all workspaces that have webhooks. It must never know what becomes of them.
import { setTimeout as pause } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { reasonOf } from "@docket/runtime/errors";
import type { Logger } from "@docket/runtime/logger";
import type { Clients } from "../clients.ts";
import type { IntegrationDatabase } from "../store/entities.ts";
import { FEEDS_SIGNAL, readFeeds } from "../store/feeds.ts";
import type { Batch } from "./fan_out.ts";

export interface FollowerOptions {
  readonly db: IntegrationDatabase;
  readonly feed: Clients["feed"];
  readonly logger: Logger;
  /** Applies a batch, or throws: then the stream is opened again from the saved places. */
  readonly apply: (batch: Batch) => Promise<void>;
  /** How often to look which workspaces other processes have begun to follow, in milliseconds. Default: 3000. */
  readonly pollMs?: number;
}

/** Workspaces in one stream, as the contract limits it. */
const workspacesAtOnce = 1000;
const firstPauseMs = 100;
const longestPauseMs = 5000;

/** Follows until disposed; connects again by itself. */
export function followFeed({ db, feed, logger, apply, pollMs = 3000 }: FollowerOptions): AsyncDisposable {
  const stop = new AbortController();

  /** One stream, until it ends or the signal aborts. */
  const followSome = async (
    places: readonly (readonly [string, number])[],
    signal: AbortSignal,
    onAlive: () => void,
  ) => {
    const began = new Map(places);
    const asked = places.map(([workspaceId, place]) => ({ workspaceId, sequence: BigInt(place) }));
    for await (const { changes, place, gap } of feed.followChanges({ places: asked }, { signal })) {
      onAlive();
      if (place === undefined) continue;
      const { workspaceId, sequence } = place;
      const lostFrom = gap ? began.get(workspaceId) : undefined;
      await apply({ workspaceId, changes, place: Number(sequence), lostFrom });
    }
  };

  /** Follows what is to be followed now, until that changes. */
  const followAll = async (onAlive: () => void) => {
    const changed = new AbortController();
    const places = [...(await readFeeds(db.query))];
    const followed = new Set(places.map(([id]) => id));
    const look = async () => {
      const now = await readFeeds(db.query).catch(() => undefined);
      if (now !== undefined && (now.size !== followed.size || [...now.keys()].some((id) => !followed.has(id)))) {
        changed.abort();
      }
    };
    using _listening = db.signals.listen(FEEDS_SIGNAL, () => void look());
    const timer = setInterval(() => void look(), pollMs);
    const signal = AbortSignal.any([stop.signal, changed.signal]);
    try {
      // One that came between the reading and the listening.
      await look();
      const groups = [];
      for (let at = 0; at < places.length; at += workspacesAtOnce) groups.push(places.slice(at, at + workspacesAtOnce));
      if (groups.length === 0) await aborted(signal);
      await Promise.all(
        groups.map((group) =>
          followSome(group, signal, onAlive).catch((error: unknown) => {
            // One that broke takes the others with it, so that all begin again from what is saved.
            const was = signal.aborted;
            changed.abort();
            if (!was) throw error;
          }),
        ),
      );
    } finally {
      clearInterval(timer);
    }
  };

  const run = async () => {
    let pauseMs = firstPauseMs;
    while (!stop.signal.aborted) {
      try {
        await followAll(() => {
          pauseMs = firstPauseMs;
        });
      } catch (error) {
        if (stop.signal.aborted) return;
        const away = ConnectError.from(error).code === Code.Unavailable;
        if (away && reasonOf(error) !== Reason.RESUME) {
          logger.info("the document service is away; its changes are asked for again");
        } else if (!away && (error as { name?: string }).name !== "PlaceMoved") {
          logger.warn({ err: error }, "the stream of changes broke; it is opened again");
        }
        await pause(pauseMs * (0.5 + Math.random()), undefined, { signal: stop.signal }).catch(() => undefined);
        pauseMs = Math.min(longestPauseMs, pauseMs * 2);
      }
    }
  };

  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
