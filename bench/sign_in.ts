// Whether the time of a refused sign-in tells that an address has an account.
//
//   npm run bench:sign-in -- [accounts]
//
// Known and unknown addresses are tried in random order through the edge, each from an address of its own, so that
// nothing is slowed. Judged by ranks (Mann-Whitney): |z| below 3 is what chance gives.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startMesh } from "@docket/e2e/mesh";

const accounts = Number(process.argv[2] ?? 200);
const say = (line: string) => process.stdout.write(`${line}\n`);
const folder = await mkdtemp(join(tmpdir(), "docket-bench-"));
const mesh = await startMesh({
  DOCKET_DATA_DIR: folder,
  PORT: "0",
  LOG_LEVEL: "silent",
  RATE_LIMIT_PERCENT: "0",
  TRUSTED_PROXIES: "127.0.0.1",
});

let sources = 0;

/** Calls the edge as if from an address that was never seen before. */
async function call(rpc: string, body: object): Promise<number> {
  sources += 1;
  const source = `10.${(sources >> 16) & 255}.${(sources >> 8) & 255}.${sources & 255}`;
  const response = await fetch(`${mesh.url}/docket.user.v1.SessionService/${rpc}`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-forwarded-for": source },
    body: JSON.stringify(body),
  });
  await response.arrayBuffer();
  return response.status;
}

async function refusedSignIn(email: string): Promise<number> {
  const before = performance.now();
  const status = await call("SignIn", { email, password: "not the password 1" });
  const elapsed = performance.now() - before;
  if (status !== 401) throw new Error(`a sign-in was answered with ${status}`);
  return elapsed;
}

/** How far the ranks of `a` are from chance, in standard deviations. */
function rankZ(a: readonly number[], b: readonly number[]): number {
  const ranked = [...a.map((ms) => ({ ms, own: true })), ...b.map((ms) => ({ ms, own: false }))].sort(
    (x, y) => x.ms - y.ms,
  );
  const sum = ranked.reduce((total, { own }, index) => total + (own ? index + 1 : 0), 0);
  const u = sum - (a.length * (a.length + 1)) / 2;
  return (u - (a.length * b.length) / 2) / Math.sqrt((a.length * b.length * (a.length + b.length + 1)) / 12);
}

function quantiles(list: readonly number[]): string {
  const sorted = [...list].sort((x, y) => x - y);
  return [0.1, 0.5, 0.9].map((q) => (sorted[Math.floor(sorted.length * q)] ?? 0).toFixed(1)).join(" / ");
}

try {
  const known = Array.from({ length: accounts }, (_, index) => `known.${index}@example.com`);
  for (const email of known) await call("SignUp", { email, password: "correct staple 77", displayName: "Somebody" });
  const times = { known: [] as number[], unknown: [] as number[] };
  for (const round of [1, 2]) {
    for (const [index, email] of known.entries()) {
      const other = `unknown.${round}.${index}@example.com`;
      const knownFirst = Math.random() < 0.5;
      if (knownFirst) times.known.push(await refusedSignIn(email));
      times.unknown.push(await refusedSignIn(other));
      if (!knownFirst) times.known.push(await refusedSignIn(email));
    }
  }
  say(`refused sign-ins, ${times.known.length} of each, ms at 10 / 50 / 90 %`);
  say(`  known addresses    ${quantiles(times.known)}`);
  say(`  unknown addresses  ${quantiles(times.unknown)}`);
  const z = rankZ(times.known, times.unknown);
  say(`  ranks: z = ${z.toFixed(2)} (${Math.abs(z) < 3 ? "as chance gives it" : "the time TELLS"})`);
  if (Math.abs(z) >= 3) process.exitCode = 1;
} finally {
  await mesh[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
}
