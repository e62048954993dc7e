// What a suite found: one line for each assertion, and what was seen where it did not hold.

/** One assertion. */
export interface Check {
  readonly suite: string;
  readonly name: string;
  readonly holds: boolean;
  readonly seen: string;
}

/** Collects the assertions of a run. */
export class Checks {
  readonly all: Check[] = [];
  readonly #say: (line: string) => void;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  /** The assertions of one suite. */
  suite(suite: string): (name: string, holds: boolean, seen?: unknown) => void {
    return (name, holds, seen) => {
      const text = seen === undefined ? "" : typeof seen === "string" ? seen : JSON.stringify(seen);
      this.all.push({ suite, name, holds, seen: text });
      this.#say(`${holds ? "    " : "!!! "}${suite}: ${name}${holds ? "" : `, but: ${text}`}`);
    };
  }

  get failed(): readonly Check[] {
    return this.all.filter(({ holds }) => !holds);
  }
}
