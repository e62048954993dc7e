// What rules and dashboards ask for is what a mesh at work really tells.

import { createLogger } from "@docket/runtime/logger";
import { freePort } from "@docket/runtime/testing/servers/process";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { dashboardQueries, namesOf, ruleQueries } from "../observability/queries.ts";
import { ruleGroups } from "../observability/slo/rules.ts";
import { runJourney } from "./journey.ts";
import { startMesh } from "./mesh.ts";

/** Told only where there is a database server, or Redis, or a call was tried again. */
const elsewhere =
  /^(db_client_connection_(count|max|pending_requests)|docket_redis_connected|docket_rpc_client_retries_total)$/;
/** Of Prometheus, Istio and the Collector, and what is recorded from all of it. */
const foreign = /^(up|istio_.*|otelcol_.*|docket:.*)$/;
/** What Prometheus puts on everything it scrapes. */
const targetLabels = ["service", "role", "pod", "instance", "rollouts_pod_template_hash"];

interface Told {
  readonly names: ReadonlySet<string>;
  readonly labels: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Names and labels of everything in a text for Prometheus. */
function read(text: string): Told {
  const labels = new Map<string, Set<string>>();
  for (const line of text.split("\n")) {
    const [, name = "", inner = ""] = /^([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? \S/i.exec(line) ?? [];
    if (name === "") continue;
    const known = labels.get(name) ?? new Set();
    labels.set(name, known);
    for (const [, label = ""] of inner.matchAll(/([a-z_]+)="(?:[^"\\]|\\.)*"/g)) known.add(label);
  }
  return { names: new Set(labels.keys()), labels };
}

describe("what rules and dashboards ask for", () => {
  it("is told by a mesh that has done the main job, with the labels that they choose by", async () => {
    await using folder = await temporaryFolder();
    const port = await freePort();
    const settings = {
      DOCKET_DATA_DIR: folder.path,
      PORT: "0",
      RATE_LIMIT_PERCENT: "1000",
      METRICS_PORT: String(port),
    };
    await using mesh = await startMesh(settings, { logger: createLogger({ level: "error" }) });
    await runJourney({ url: mesh.url, largeBytes: 4_000_000, log: () => undefined });
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    const told = read(await answer.text());

    const recorded = ruleGroups().flatMap(({ rules }) =>
      rules.flatMap((rule) => ("record" in rule ? [rule.record] : [])),
    );
    const faults: string[] = [];
    for (const { where, expr } of [...ruleQueries(), ...dashboardQueries()]) {
      const { metrics, labels } = namesOf(expr);
      const own = [...metrics].filter((name) => !foreign.test(name) && !elsewhere.test(name));
      for (const name of own) if (!told.names.has(name)) faults.push(`${where}: nothing tells ${name}`);
      for (const name of metrics)
        if (name.includes(":") && !recorded.includes(name)) faults.push(`${where}: ${name} is not recorded`);
      // What is partly of others cannot be judged here.
      if (own.length === 0 || own.length < metrics.size) continue;
      const known = new Set([...targetLabels, ...own.flatMap((name) => [...(told.labels.get(name) ?? [])])]);
      for (const label of labels) if (!known.has(label)) faults.push(`${where}: nothing has ${label}`);
    }
    expect(faults).toEqual([]);
  }, 120_000);
});
