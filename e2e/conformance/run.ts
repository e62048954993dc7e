// `npm run conformance`: others' suites against Docket's edge, its gRPC server and its gRPC client. It fails when a case
// fails that is not known to, when one fails for another reason than the one that is explained (known_*.txt), and when one
// that is known to fail passes now.

import { isGenerated } from "./generate.ts";
import { runInterop } from "./interop.ts";
import { runSuite, type SuiteRun } from "./suite.ts";
import { type Row, sumOf, tableOf } from "./table.ts";
import { isWarm, needInterop, needRunner } from "./tools.ts";

const runs: readonly SuiteRun[] = [
  { title: "connectconformance → edge", mode: "server", name: "edge", program: ["server.ts", "edge"] },
  { title: "connectconformance → service", mode: "server", name: "service", program: ["server.ts", "service"] },
  { title: "connectconformance → client", mode: "client", name: "client", program: ["client.ts"] },
];

const say = (line: string) => void process.stdout.write(`${line}\n`);

say(
  "Needs Go 1.26, and Go's module proxy the first time. Takes two minutes on two cores, and a few more the first time.",
);
if (!isWarm()) say("Building connectconformance and the gRPC interop client; they are kept in ~/go/bin and ~/.cache.");
const runner = needRunner();
const interop = needInterop();
if (!(await isGenerated())) {
  say("FAILED e2e/conformance/gen is not what e2e/conformance/proto makes. Mend: node e2e/conformance/generate.ts");
  process.exitCode = 1;
}
const rows: Row[] = [];
for (const run of runs) {
  const started = performance.now();
  rows.push(...(await runSuite(runner, run, say)));
  say(`${run.title}: ${Math.round((performance.now() - started) / 1000)} s`);
}
rows.push(...(await runInterop(interop, say)));
say(`\n${tableOf(rows)}\n`);
say(sumOf(rows));
if (rows.some(({ failed }) => failed > 0)) process.exitCode = 1;
