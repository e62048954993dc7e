// The programs that prove what is in this folder: Prometheus' and Alertmanager's own, and a Collector built of the components that
// collector/builder.yaml names. What is built is kept outside of the tree.
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse, stringify } from "yaml";

const execute = promisify(execFile);

/** What a program said, and whether it was content. */
export interface Outcome {
  readonly ok: boolean;
  readonly text: string;
}

/** Runs a program to its end. */
export async function run(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>>; readonly timeoutMs?: number },
): Promise<Outcome> {
  const { cwd, env = {}, timeoutMs = 300_000 } = options;
  try {
    const { stdout, stderr } = await execute(program, [...args], {
      cwd,
      env: { ...process.env, ...env },
      timeout: timeoutMs,
      maxBuffer: 64 * 1024 * 1024,
    });
    return { ok: true, text: stdout + stderr };
  } catch (error) {
    const { stdout = "", stderr = "", message } = error as { stdout?: string; stderr?: string; message: string };
    return { ok: false, text: stdout + stderr || message };
  }
}

/** Whether a program is on the path. */
export function isThere(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).error === undefined;
}

/** Where built programs are kept. */
function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "docket");
}

/** The Collector's path, built before if it must be. Undefined where there is no Go to build it with. */
export async function collectorBinary(folder: string): Promise<string | undefined> {
  const manifest = parse(readFileSync(join(folder, "collector", "builder.yaml"), "utf8")) as {
    dist: { version: string; output_path?: string };
  };
  const place = join(cacheFolder(), `collector-${manifest.dist.version}`);
  const source = join(place, "source");
  const binary = join(source, "docket-collector");
  const asked = stringify({ ...manifest, dist: { ...manifest.dist, output_path: source } });
  const kept = join(place, "manifest.yaml");
  if (existsSync(binary) && existsSync(kept) && readFileSync(kept, "utf8") === asked) return binary;
  if (!isThere("go")) return undefined;
  process.stdout.write("  building the Collector, about five minutes with two cores\n");
  mkdirSync(place, { recursive: true });
  rmSync(binary, { force: true });
  const bin = join(place, "bin");
  const builder = `go.opentelemetry.io/collector/cmd/builder@v${manifest.dist.version}`;
  await built(run("go", ["install", builder], { cwd: place, env: { GOBIN: bin } }));
  writeFileSync(kept, asked);
  const env = { CGO_ENABLED: "0" };
  const args = ["--config", kept, "--ldflags=-s -w"];
  await built(run(join(bin, "builder"), args, { cwd: place, env, timeoutMs: 1_800_000 }));
  return binary;
}

async function built(outcome: Promise<Outcome>): Promise<void> {
  const { ok, text } = await outcome;
  if (!ok) throw new Error(`the Collector could not be built:\n${text.slice(-4000)}`);
}
