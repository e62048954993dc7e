import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rpcs } from "@docket/contracts/registry";
import { callBounds } from "@docket/runtime/telemetry/bounds";
import { expect, test } from "@jest/globals";
import { dashboardQueries, namesOf, ruleQueries } from "./queries.ts";
import { methodPattern, rpcClasses, thresholdOf } from "./slo/classes.ts";
import { callBuckets } from "./slo/objectives.ts";
import { ruleGroups } from "./slo/rules.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What the runtime says that it measures: the table of docs/operations/observability.md. */
const documented = new Map<string, { kind: string; labels: string[] }>();
for (const line of readFileSync(join(root, "docs/operations/observability.md"), "utf8").split("\n")) {
  const [, names = "", kind = "", labels = ""] = line.split("|").map((cell) => cell.trim());
  if (!/^(counter|gauge|histogram)$/.test(kind)) continue;
  const written = [...names.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
  for (const name of written) {
    const whole = name.startsWith("…") ? `${written[0]?.replace(/_p50_seconds$/, "")}${name.slice(1)}` : name;
    const keys = [...labels.replaceAll(/\([^)]*\)/g, "").matchAll(/`([a-z_]+)`/g)].map(([, key = ""]) => key);
    documented.set(whole, { kind, labels: keys });
  }
}

/** What others measure: Prometheus itself, and Istio's proxies. */
const foreign = new Map<string, readonly string[]>([
  ["up", ["job"]],
  [
    "istio_requests_total",
    ["reporter", "source_workload", "destination_workload", "response_flags", "connection_security_policy"],
  ],
  ["istio_agent_cert_expiry_seconds", []],
  ...["spans", "metric_points", "log_records"].map(
    (what) => [`otelcol_exporter_send_failed_${what}`, ["exporter"]] as const,
  ),
]);

/** What prometheus.yaml puts on every series. */
const targetLabels = ["service", "role", "pod", "instance", "rollouts_pod_template_hash"];
const recordedNames = new Set(
  ruleGroups().flatMap(({ rules }) => rules.flatMap((rule) => ("record" in rule ? [rule.record] : []))),
);

function labelsOf(metric: string): readonly string[] | undefined {
  const base = metric.replace(/_(bucket|count|sum)$/, "");
  const known =
    documented.get(metric) ?? (documented.get(base)?.kind === "histogram" ? documented.get(base) : undefined);
  if (known !== undefined) return metric.endsWith("_bucket") ? [...known.labels, "le"] : known.labels;
  return recordedNames.has(metric) ? ["rpc_class"] : foreign.get(metric);
}

test("the runtime's list of metrics is read", () => {
  expect(documented.get("rpc_server_call_duration_seconds")?.labels).toContain("docket_reason");
  expect(documented.size).toBeGreaterThan(25);
});

test.each([...ruleQueries(), ...dashboardQueries()])("$where asks for what is measured", ({ expr }) => {
  const { metrics, labels } = namesOf(expr);
  const known = [...metrics].map((metric) => [metric, labelsOf(metric)] as const);
  expect(known.filter(([, labels]) => labels === undefined).map(([metric]) => metric)).toEqual([]);
  if (expr !== "vector(1)") expect(metrics.size).toBeGreaterThan(0);
  const possible = new Set([...targetLabels, ...known.flatMap(([, labels]) => labels ?? [])]);
  expect([...labels].filter((label) => !possible.has(label))).toEqual([]);
});

test("names are found in expressions, and words of the language are none", () => {
  const { metrics, labels } = namesOf(
    'sum by (le, a) (rate(x_bucket{b=~"c|d{2}",le="0.5"}[5m])) / on (e) group_left (f) docket:y:1h > 1',
  );
  expect([...metrics]).toEqual(["x_bucket", "docket:y:1h"]);
  expect([...labels].sort()).toEqual(["a", "b", "e", "f", "le"]);
});

test("every RPC is in exactly one class, and its class's pattern names it and no other", () => {
  const classes = rpcClasses();
  for (const { name } of rpcs) {
    const matching = classes.filter(({ methods }) => new RegExp(`^(${methodPattern(methods)})$`).test(name));
    expect(matching.map(({ methods }) => methods.includes(name))).toEqual([true]);
  }
});

test("thresholds are bounds of the runtime's histograms, and at most a quarter of the deadline", () => {
  expect([...callBuckets]).toEqual([...callBounds]);
  for (const { deadline } of rpcClasses()) {
    if (deadline === undefined) continue;
    expect(callBounds).toContain(thresholdOf(deadline));
    expect(thresholdOf(deadline)).toBeLessThanOrEqual(deadline / 4);
  }
});

test("a new RPC is in the rules by its policy alone", () => {
  const [first] = rpcs;
  if (first === undefined) throw new Error("no RPCs");
  const added = { ...first, name: `${first.service.typeName}/BrandNew` as typeof first.name };
  const having = rpcClasses([...rpcs, added]).filter(({ methods }) => methods.includes(added.name));
  expect(having).toHaveLength(1);
});

test("events that alerts wait for are told by some service", () => {
  const told = ["user", "document", "storage", "integration", "gateway"]
    .map((service) => readFileSync(join(root, "services", service, "events.ts"), "utf8"))
    .join("\n");
  const asked = ruleQueries().flatMap(({ expr }) =>
    [...expr.matchAll(/event=~?"([^"]+)"/g)].flatMap(([, names = ""]) => names.split("|")),
  );
  expect(asked.length).toBeGreaterThan(3);
  for (const event of asked) {
    const method = event.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    expect(told).toMatch(new RegExp(`\\b${method}\\b`));
  }
});
