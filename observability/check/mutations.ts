// Takes each rule of the Collector's cleaning away in turn: something must then be found that should not have left.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sends } from "./collector.ts";

/** Runs {@link sends} once for each rule, about four seconds each. Throws with the rules that nothing depends on. */
export async function everyRuleMatters(binary: string, folder: string): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "docket-mutations-"));
  try {
    for (const part of ["collector", join("gen", "collector")])
      cpSync(join(folder, part), join(scratch, part), { recursive: true });
    const file = join(scratch, "collector", "collector.yaml");
    const lines = readFileSync(file, "utf8").split("\n");
    const from = lines.findIndex((line) => line.includes("trace_statements:"));
    const to = lines.findIndex((line) => line.includes("summary: silent"));
    const rules = lines
      .map((line, at) => ({ line, at }))
      .filter(({ line, at }) => at > from && at < to && /^\s+- /.test(line));
    if (rules.length < 20) throw new Error(`only ${rules.length} rules were found in collector.yaml`);
    const idle: string[] = [];
    for (const { line, at } of rules) {
      writeFileSync(file, lines.filter((_, other) => other !== at).join("\n"));
      const caught = await sends(binary, scratch).then(
        () => false,
        () => true,
      );
      console.log(`      ${caught ? "missed" : "NOT MISSED"}: ${line.trim().slice(0, 100)}`);
      if (!caught) idle.push(line.trim());
    }
    if (idle.length > 0) throw new Error(`without these nothing more leaves:\n${idle.join("\n")}`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
