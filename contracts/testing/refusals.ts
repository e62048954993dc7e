// Tests of the linter as a table: what is written, and the one sentence that refuses it.

import { describe, expect, it } from "@jest/globals";
import { lintRpcs, type RpcSource } from "./protos.ts";

/** One thing that the linter refuses. */
export interface RefusedCase {
  /** The end of a sentence that begins with the topic. */
  it: string;
  rpc: RpcSource;
  /** What the one refusal says. */
  says: string;
}

/** Declares one test per case; all of them are compiled in one run of buf. */
export function describeRefusals(refused: Record<string, RefusedCase[]>): void {
  const cases = Object.entries(refused).flatMap(([topic, list]) => list.map((each) => ({ topic, ...each })));
  const results = lintRpcs(cases.map(({ rpc }) => rpc));
  for (const topic of Object.keys(refused)) {
    describe(`the linter refuses ${topic}`, () => {
      for (const [index, each] of cases.entries()) {
        if (each.topic !== topic) continue;
        it(each.it, () => {
          const refusals = results[index] ?? [];
          expect(refusals.map(({ sentence }) => sentence)).toEqual([expect.stringContaining(each.says)]);
          expect(refusals[0]?.file).toMatch(/^docket\/.*\.proto$/);
        });
      }
    });
  }
}
