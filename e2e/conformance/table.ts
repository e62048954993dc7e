// What was run and how it ended, in a table.

/** A line of it. */
export interface Row {
  readonly suite: string;
  readonly protocol: string;
  readonly cases: number;
  readonly passed: number;
  /** Failed for the reason that is explained. */
  readonly known: number;
  readonly failed: number;
}

const columns = ["suite", "protocol", "cases", "passed", "known", "failed"] as const;
const titles: Row | Record<string, string> = { known: "known to fail" };

/** The rows under each other, as Markdown has them. */
export function tableOf(rows: readonly Row[]): string {
  const lines = [
    columns.map((column) => String((titles as Record<string, string>)[column] ?? column)),
    ...rows.map((row) => columns.map((column) => String(row[column]))),
  ];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  const text = (line: readonly string[]) =>
    `| ${line.map((cell, at) => (at < 2 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join(" | ")} |`;
  const [head = [], ...body] = lines;
  const rule = `| ${widths.map((width, at) => (at < 2 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [text(head), rule, ...body.map(text)].join("\n");
}

/** The last line of a run. */
export function sumOf(rows: readonly Row[]): string {
  const sum = (column: "passed" | "known" | "failed") => rows.reduce((total, row) => total + row[column], 0);
  return `conformance: ${sum("passed")} passed, ${sum("known")} known to fail, ${sum("failed")} failed`;
}
