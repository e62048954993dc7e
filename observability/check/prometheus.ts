// Prometheus' and Alertmanager's own programs over what they will read.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { dashboardQueries } from "../queries.ts";
import { run } from "./tools.ts";

/** The rules are well-formed, and so is what says where to look. */
export async function rulesAreWellFormed(folder: string): Promise<void> {
  await content(folder, "promtool", ["check", "rules", "gen/prometheus/rules.yaml"]);
  const scratch = mkdtempSync(join(tmpdir(), "docket-prometheus-"));
  try {
    for (const environment of ["dev", "stage", "prod"]) {
      const file = join(scratch, `${environment}.yaml`);
      const shipped = readFileSync(join(folder, "gen", "prometheus", file.slice(scratch.length + 1)), "utf8");
      // Debian's build knows no Kubernetes; what is done with the targets is looked at all the same.
      const plain = shipped.replace(
        /kubernetes_sd_configs:\n(.*\n)(.*names: \[docket-[a-z]+\].*\n)/,
        "static_configs: []\n",
      );
      assert.notEqual(plain, shipped);
      writeFileSync(file, plain);
      await content(folder, "promtool", ["check", "config", "--syntax-only", file]);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Alerts fire when they must, and are silent when they must be. */
export async function rulesFire(folder: string): Promise<void> {
  const tests = readdirSync(join(folder, "tests")).filter((name) => name.endsWith(".test.yaml"));
  assert.ok(tests.length > 0, "no tests of rules");
  await Promise.all(tests.map((name) => content(join(folder, "tests"), "promtool", ["test", "rules", name])));
}

/** Prometheus' parser reads every query of every dashboard, and refuses one that is none. */
export async function dashboardsAsk(folder: string): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "docket-dashboards-"));
  try {
    const check = (queries: readonly string[]) => {
      const rules = queries.map((expr, at) => ({ record: `query:${at}`, expr }));
      writeFileSync(
        join(scratch, "rules.yaml"),
        stringify({ groups: [{ name: "dashboards", rules }] }, { lineWidth: 0 }),
      );
      return run("promtool", ["check", "rules", "--lint=none", join(scratch, "rules.yaml")], { cwd: folder });
    };
    const queries = dashboardQueries();
    const { ok, text } = await check(queries.map(({ expr }) => expr));
    assert.ok(
      ok,
      text.replaceAll(/query:(\d+)/g, (_, at: string) => queries[Number(at)]?.where ?? at),
    );
    assert.ok(!(await check(["sum by (le rate(up[5m])"])).ok, "a query that is none was taken");
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Who is told of what. */
const told: readonly (readonly [labels: readonly string[], receivers: string])[] = [
  [["alertname=AvailabilityBudgetBurnsFast", "severity=page", "environment=prod"], "pager,chat"],
  [["alertname=AvailabilityBudgetBurnsFast", "severity=page", "environment=stage"], "chat"],
  [["alertname=DeadLetters", "severity=ticket", "environment=prod"], "chat"],
  [["alertname=Watchdog", "severity=none", "environment=prod"], "heartbeat"],
  [["alertname=Watchdog", "severity=none", "environment=dev"], "nobody"],
];

/** Alertmanager takes its file, and alerts go where they should. */
export async function alertsArrive(folder: string): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "docket-alertmanager-"));
  try {
    const file = join(scratch, "alertmanager.yaml");
    const { text } = await run("amtool", ["--version"], { cwd: folder });
    const [, major = "0", minor = "0"] = /version (\d+)\.(\d+)/.exec(text) ?? [];
    const shipped = readFileSync(join(folder, "alertmanager", "alertmanager.yaml"), "utf8");
    // Before 0.26 a webhook's address could not be a file; nothing else differs.
    const old = Number(major) === 0 && Number(minor) < 26;
    writeFileSync(file, old ? shipped.replace(/url_file: \S+heartbeat/, "url: http://127.0.0.1/") : shipped);
    await content(folder, "amtool", ["check-config", file]);
    for (const [labels, receivers] of told) {
      const said = await content(folder, "amtool", ["config", "routes", "test", `--config.file=${file}`, ...labels]);
      assert.equal(
        said.trim().split("\n").at(-1)?.trim() === receivers || said.includes(receivers),
        true,
        `${labels}: ${said}`,
      );
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function content(cwd: string, program: string, args: readonly string[]): Promise<string> {
  const { ok, text } = await run(program, args, { cwd });
  assert.ok(ok, `${program} ${args.join(" ")}\n${text}`);
  return text;
}
