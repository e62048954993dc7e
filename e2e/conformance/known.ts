// The lists of known failures: which cases fail, and what the suite may complain of in each. A case that fails for another
// reason than the one that is explained is not a known failure.

import { readFileSync } from "node:fs";

/** Patterns that are explained together. */
export interface Known {
  readonly patterns: readonly string[];
  /** Each line of the complaint matches one of these. */
  readonly only: readonly RegExp[];
  /** Whether its cases may pass as well. */
  readonly sometimes: boolean;
}

/** Reads a list; known_edge.txt says how it is written. Throws where patterns stand without `#! only:`. */
export function readKnown(path: string): readonly Known[] {
  const blocks = readFileSync(path, "utf8").split(/\n\s*\n/);
  return blocks.flatMap((block) => {
    const lines = block.split("\n").map((line) => line.trim());
    const patterns = lines.filter((line) => line !== "" && !line.startsWith("#"));
    if (patterns.length === 0) return [];
    const only = lines.flatMap((line) => /^#! only: (.*)$/.exec(line)?.[1] ?? []).map((text) => new RegExp(text));
    if (only.length === 0) throw new Error(`${path}: ${patterns[0]} does not say what the suite may complain of.`);
    return [{ patterns, only, sometimes: lines.includes("#! sometimes") }];
  });
}

/** Lines of a complaint that no explanation of the case covers. */
export function unexplained(name: string, complaint: readonly string[], known: readonly Known[]): string[] {
  const reasons = known.filter(({ patterns }) => patterns.some((pattern) => matches(pattern, name)));
  return complaint.filter((line) => !reasons.some(({ only }) => only.some((expression) => expression.test(line))));
}

/** `*` stands for one part of a name, `**` for any number of them. */
export function matches(pattern: string, name: string): boolean {
  const parts = pattern.split("/").map((part) => {
    if (part === "**") return "(?:[^/]+/)*";
    if (part === "*") return "[^/]+/";
    return `${part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}/`;
  });
  return new RegExp(`^${parts.join("")}$`).test(`${name}/`);
}
