/**
 * `npm run observability:check`: proves what is in this folder with the programs that will read it. Run by developers and by CI; what
 * it builds is kept outside of the tree. With `--mutations` it takes each rule of the Collector away in turn, too. Each step says
 * what it proves; what fails is explained, and the end is not 0.
 */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { keepsAShare, sends, sharesAmongReplicas, staysSilent, tellsOfLosses, validates } from "./check/collector.ts";
import { everyRuleMatters } from "./check/mutations.ts";
import { alertsArrive, dashboardsAsk, rulesAreWellFormed, rulesFire } from "./check/prometheus.ts";
import { collectorBinary, isThere } from "./check/tools.ts";

const folder = dirname(fileURLToPath(import.meta.url));
let failed = 0;

async function step(name: string, work: () => Promise<void>): Promise<void> {
  const began = performance.now();
  try {
    await work();
    console.log(`ok    ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}\n${(error as Error).message}`);
  }
}

function missing(what: string, how: string): void {
  failed += 1;
  console.log(`FAIL  ${what} is missing: ${how}`);
}

console.log(
  "Needs promtool (Debian: prometheus), amtool (Debian: prometheus-alertmanager) and, once, Go 1.25 or newer for the Collector.",
);
console.log("Takes about a minute; the first time five minutes more, and about 2 GB below the cache folder of Go.\n");

if (isThere("promtool")) {
  await step("rules and scrape configurations are well-formed", () => rulesAreWellFormed(folder));
  await step("alerts fire when they must, and are silent when they must be", () => rulesFire(folder));
  await step("every query of every dashboard is one", () => dashboardsAsk(folder));
} else missing("promtool", "apt-get install --no-install-recommends prometheus");

if (isThere("amtool")) await step("alerts go where they should", () => alertsArrive(folder));
else missing("amtool", "apt-get install --no-install-recommends prometheus-alertmanager");

const binary = await collectorBinary(folder).catch((error: Error) => error.message);
if (binary === undefined) missing("Go", "it builds the Collector");
else {
  await step("the Collector understands its files", () => validates(binary, folder));
  await step("what leaves it is clean, sampled by deadlines, in differences, with New Relic's key", () =>
    sends(binary, folder),
  );
  await step("nothing leaves it before New Relic is switched on", () => staysSilent(binary, folder));
  await step("what it cannot deliver is told of", () => tellsOfLosses(binary, folder));
  await step("a share of the rest is kept", () => keepsAShare(binary, folder));
  await step("two replicas see a trace whole and a counter right", () => sharesAmongReplicas(binary, folder));
  if (process.argv.includes("--mutations"))
    await step("each rule of the Collector keeps something in", () => everyRuleMatters(binary, folder));
}

process.exitCode = failed > 0 ? 1 : 0;
