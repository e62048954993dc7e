// Carries a database's signals to the other replicas of its service, and to its workers. Only a hint, and never needed:
// whoever is woken looks into the database, and looks there once a second anyway.

import type { Signals } from "../db/signals.ts";
import { newId } from "../ids.ts";
import type { Redis } from "./redis.ts";

/** A database as far as its signals go. */
interface Signalling {
  readonly name: string;
  readonly signals: Signals;
}

interface WakeUp {
  readonly from: string;
  /** Topics by name of the signal. */
  readonly raised: Readonly<Record<string, readonly string[]>>;
}

/** Shares until disposed of; does nothing where there is no Redis. */
export function shareWakeUps({ name, signals }: Signalling, redis: Redis | undefined): Disposable {
  if (redis === undefined) return { [Symbol.dispose]: () => undefined };
  const self = newId();
  const channel = `wake:${name}`;
  let waiting: Map<string, Set<string>> | undefined;
  const send = () => {
    const raised = Object.fromEntries([...(waiting ?? [])].map(([signal, topics]) => [signal, [...topics]]));
    waiting = undefined;
    redis.publish(channel, JSON.stringify({ from: self, raised } satisfies WakeUp));
  };
  const raised = signals.relay((signal, topics) => {
    // Commits of the same moment are told of together.
    if (waiting === undefined) setImmediate(send);
    waiting ??= new Map();
    waiting.set(signal, new Set([...(waiting.get(signal) ?? []), ...topics]));
  });
  const heard = redis.subscribe(channel, (message) => {
    const { from, raised } = JSON.parse(message) as WakeUp;
    if (from === self) return;
    for (const [signal, topics] of Object.entries(raised)) signals.receive(signal, new Set(topics));
  });
  return {
    [Symbol.dispose]() {
      raised[Symbol.dispose]();
      heard[Symbol.dispose]();
    },
  };
}
