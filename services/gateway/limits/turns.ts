// Work that costs much, such as making a page, a few at once for each client: whoever asks for more waits behind
// themselves, and not everybody behind them.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError } from "@docket/runtime/errors";

export interface TurnsOptions {
  /** So many turns one client has at once. */
  readonly atOnce: number;
  /** So many of its requests may wait for one. */
  readonly waiting: number;
  /** How long each may wait, in milliseconds. */
  readonly waitMs: number;
  /** What it is to be told when it asked for too much. */
  readonly refusal: () => AppError;
}

interface Line {
  taken: number;
  /** Told that it is their turn, in the order in which they came. */
  readonly waiting: Set<() => void>;
}

export class Turns {
  readonly #options: TurnsOptions;
  readonly #lines = new Map<string, Line>();

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Clients that have a turn or wait for one. */
  get clients(): number {
    return this.#lines.size;
  }

  /**
   * Waits for a turn, and returns how to end it, to be called once. Throws the refusal when too many wait already, or
   * when none came in time, and CANCELLED when the client has gone.
   */
  async take(client: string, signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw new AppError(Reason.CANCELLED);
    const { atOnce, waiting } = this.#options;
    const line = this.#lines.get(client) ?? { taken: 0, waiting: new Set() };
    this.#lines.set(client, line);
    if (line.taken < atOnce) line.taken += 1;
    else if (line.waiting.size < waiting) await this.#wait(line, signal);
    else throw this.#options.refusal();
    let mine = true;
    return () => {
      if (mine) this.#pass(client, line);
      mine = false;
    };
  }

  /** Resolves with a turn that another one has passed on. */
  #wait(line: Line, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", gone);
        line.waiting.delete(go);
      };
      const go = () => {
        end();
        resolve();
      };
      const gone = () => {
        end();
        reject(new AppError(Reason.CANCELLED));
      };
      const timer = setTimeout(() => {
        end();
        reject(this.#options.refusal());
      }, this.#options.waitMs);
      signal.addEventListener("abort", gone);
      line.waiting.add(go);
    });
  }

  #pass(client: string, line: Line): void {
    const [next] = line.waiting;
    if (next !== undefined) {
      next();
      return;
    }
    line.taken -= 1;
    if (line.taken === 0) this.#lines.delete(client);
  }
}
