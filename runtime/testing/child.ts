// Child processes for tests of what only a process of its own can show: signals, exit codes, locks.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { type TemporaryFolder, temporaryFolder } from "./temporary_folder.ts";

/** A running script; it is killed and its folder removed when disposed. */
export interface ChildScript extends AsyncDisposable {
  readonly process: ChildProcess;
  /** What it wrote so far. */
  readonly output: { stdout: string; stderr: string };
  /** Waits until its standard output holds a text. */
  printed(text: string): Promise<void>;
  /** Waits for its end; the exit code, or the name of the signal that killed it. */
  ended(): Promise<number | string>;
}

/** Runs the source of an ES module in a Node process of its own. Import what it needs by `file:` URLs. */
export async function runScript(source: string, nodeArguments: readonly string[] = []): Promise<ChildScript> {
  const folder: TemporaryFolder = await temporaryFolder();
  const path = join(folder.path, "script.mjs");
  await writeFile(path, source);
  const child = spawn(process.execPath, ["--no-warnings", ...nodeArguments, path], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = once(child, "close");
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  return {
    process: child,
    output,
    async printed(text) {
      const printed = () => output.stdout.includes(text);
      await eventually(() => printed() || child.exitCode !== null || child.signalCode !== null, { timeoutMs: 20_000 });
      if (!printed()) await closed;
      if (!printed()) throw new Error(`It ended before it printed "${text}": ${output.stderr}`);
    },
    async ended() {
      await closed;
      return child.exitCode ?? child.signalCode ?? "unknown";
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await closed;
      await folder[Symbol.asyncDispose]();
    },
  };
}
