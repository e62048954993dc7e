// How many bytes may be in memory at once, for all callers together. Who asks for more waits its turn; so memory grows
// neither with the number of peers nor with the size of what they send.

export class ByteBudget {
  #left: number;
  readonly #limit: number;
  readonly #waiting: { readonly bytes: number; readonly grant: () => void }[] = [];

  constructor(limit: number) {
    this.#limit = limit;
    this.#left = limit;
  }

  /** How many bytes are in use. */
  get used(): number {
    return this.#limit - this.#left;
  }

  /** Takes bytes now, or not at all. */
  tryTake(bytes: number): boolean {
    if (this.#waiting.length > 0 || bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  /** Takes bytes, in the order of asking. One that asks for more than there will ever be gets all. */
  take(bytes: number): Promise<void> | undefined {
    const wanted = Math.min(bytes, this.#limit);
    if (this.tryTake(wanted)) return undefined;
    return new Promise((grant) => {
      this.#waiting.push({ bytes: wanted, grant });
    });
  }

  /** Gives bytes back, as many as were asked for. */
  give(bytes: number): void {
    this.#left += Math.min(bytes, this.#limit);
    while (this.#waiting.length > 0) {
      const first = this.#waiting[0];
      if (first === undefined || first.bytes > this.#left) return;
      this.#left -= first.bytes;
      this.#waiting.shift();
      first.grant();
    }
  }
}
