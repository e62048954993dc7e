// Ends answers that their clients do not read: each keeps its bytes in memory for as long as it is let.

import type { EdgeResponse } from "../listener/listener.ts";

interface Progress {
  waiting: number;
  since: number;
}

export class StalledAnswers {
  readonly #limitMs: number;
  readonly #answers = new Map<EdgeResponse, Progress>();
  readonly #timer: NodeJS.Timeout;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    this.#timer = setInterval(() => this.#look(performance.now()), Math.max(10, limitMs / 8)).unref();
  }

  /** Watches an answer until it has ended. */
  watch(response: EdgeResponse): void {
    this.#answers.set(response, { waiting: 0, since: performance.now() });
    response.once("close", () => this.#answers.delete(response));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(now: number): void {
    for (const [response, progress] of this.#answers) {
      const waiting = waitingBytes(response);
      if (waiting === 0 || waiting !== progress.waiting) {
        progress.waiting = waiting;
        progress.since = now;
      } else if (now - progress.since > this.#limitMs) {
        response.destroy();
      }
    }
  }
}

/** Bytes that the client has not taken. Nothing waiting is no stall: a stream may have nothing to say. */
function waitingBytes(response: EdgeResponse): number {
  return "stream" in response ? (response.stream?.writableLength ?? 0) : response.writableLength;
}
