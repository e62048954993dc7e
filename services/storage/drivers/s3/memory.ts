// The memory of all parts that are being filled or sent. Room for a whole part is taken before its first byte, so that who
// holds some can always go on; who fills slowly is asked to make do with less while others wait.

/** Room for one part. */
export interface PartRoom {
  readonly bytes: number;
  /** From now on it is being sent, which ends by itself. */
  sending(): void;
  /** Gives the room back; again does nothing. */
  release(): void;
}

/** So long a part may be filled while others wait for room, in milliseconds. */
const patienceMs = 3000;

interface Holder {
  readonly since: number;
  readonly pressed: () => void;
}

export class PartMemory {
  readonly #limit: number;
  #left: number;
  readonly #filling = new Set<Holder>();
  readonly #waiting: { readonly bytes: number; readonly grant: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(limit: number) {
    this.#limit = limit;
    this.#left = limit;
  }

  /** How many bytes are taken. */
  get used(): number {
    return this.#limit - this.#left;
  }

  /** Takes room, in the order of asking. `pressed` may be called, also more than once, until it is sent or released. */
  async take(wanted: number, pressed: () => void): Promise<PartRoom> {
    const bytes = Math.min(wanted, this.#limit);
    if (this.#waiting.length > 0 || bytes > this.#left) {
      await new Promise<void>((grant) => {
        this.#waiting.push({ bytes, grant });
        this.#watch();
      });
    } else {
      this.#left -= bytes;
    }
    const holder: Holder = { since: performance.now(), pressed };
    this.#filling.add(holder);
    let released = false;
    return {
      bytes: wanted,
      sending: () => void this.#filling.delete(holder),
      release: () => {
        if (released) return;
        released = true;
        this.#filling.delete(holder);
        this.#give(bytes);
      },
    };
  }

  #give(bytes: number): void {
    this.#left += bytes;
    for (let first = this.#waiting[0]; first !== undefined && first.bytes <= this.#left; first = this.#waiting[0]) {
      this.#left -= first.bytes;
      this.#waiting.shift();
      first.grant();
    }
  }

  /** Presses whoever has been filling for long, while somebody waits. */
  #watch(): void {
    this.#timer ??= setInterval(() => {
      if (this.#waiting.length === 0) {
        clearInterval(this.#timer);
        this.#timer = undefined;
        return;
      }
      const before = performance.now() - patienceMs;
      for (const { since, pressed } of [...this.#filling]) if (since <= before) pressed();
    }, patienceMs / 6).unref();
  }
}
