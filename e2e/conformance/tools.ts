// The programs of others that this needs, built by Go once and kept outside of the repository.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const version = "v1.0.6";
const runner = "connectrpc.com/conformance/cmd/connectconformance";

/** Whether everything was built before. */
export function isWarm(): boolean {
  return hasRunner() && existsSync(interopPath());
}

/** The path of connectconformance, built where it is missing or of another version. */
export function needRunner(): string {
  if (!hasRunner()) go(["install", `${runner}@${version}`], homedir(), { GOBIN: binaries });
  return join(binaries, "connectconformance");
}

/** The path of the interoperability client, built when it or its module has changed. */
export function needInterop(): string {
  const path = interopPath();
  if (!existsSync(path)) go(["build", "-trimpath", "-o", path, "."], module, { CGO_ENABLED: "0" });
  return path;
}

const binaries = join(homedir(), "go/bin");
const module = join(import.meta.dirname, "interop");

function hasRunner(): boolean {
  const { status, stdout } = spawnSync("go", ["version", "-m", join(binaries, "connectconformance")], {
    encoding: "utf8",
  });
  return status === 0 && stdout.includes(`connectrpc.com/conformance\t${version}`);
}

function interopPath(): string {
  const hash = createHash("sha256");
  for (const name of ["main.go", "go.mod", "go.sum"]) hash.update(readFileSync(join(module, name)));
  const folder = join(homedir(), ".cache/docket-conformance");
  mkdirSync(folder, { recursive: true });
  return join(folder, `interop-${hash.digest("hex").slice(0, 16)}`);
}

function go(parameters: readonly string[], cwd: string, environment: Readonly<Record<string, string>>): void {
  // Go gives each builder a core; two of them already fill a small machine's memory with gRPC.
  const limits = { GOFLAGS: `${process.env.GOFLAGS ?? ""} -p=2`.trim(), GOWORK: "off", ...environment };
  const { status, error, stderr } = spawnSync("go", parameters, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, ...limits },
  });
  if (error) throw new Error("The conformance suites need Go 1.26 or newer, which is not on this machine.");
  if (status !== 0) throw new Error(`\`go ${parameters.join(" ")}\` failed:\n${stderr}`);
}
