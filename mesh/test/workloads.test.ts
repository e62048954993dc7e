// The one table that no contract gives (mesh/src/workloads.ts), beside what the processes declare and import.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { workloadName, workloadNamed, workloadOf, workloads } from "@docket/contracts/policy";
import { edgeRpcs } from "@docket/contracts/registry";
import { type Settings, settingsReference } from "@docket/runtime/config";
import { describe, expect, it } from "@jest/globals";
import { settings as documentSettings } from "../../services/document/config.ts";
import { settings as gatewaySettings } from "../../services/gateway/config.ts";
import { settings as integrationSettings } from "../../services/integration/config.ts";
import { storageSettings } from "../../services/storage/config.ts";
import { settings as userSettings } from "../../services/user/config.ts";
import { settings as webSettings } from "../../web/process/config.ts";
import { configurationOf, type Located, meshOptions } from "../src/configuration.ts";
import { type Need, outsides, rowOf } from "../src/workloads.ts";

const root = join(import.meta.dirname, "..", "..");

const declared: Readonly<Record<string, Settings>> = {
  gateway: gatewaySettings,
  web: webSettings,
  user: userSettings,
  document: documentSettings,
  storage: storageSettings,
  integration: integrationSettings,
};

/** What a setting that names a place leads to: something outside, or nothing that the table must say. */
const places: Readonly<Record<string, Need | "mesh" | "itself" | "observability">> = {
  DATABASE_URL: "mysql",
  REDIS_URL: "redis",
  BLOB_URL: "objects",
  SMTP_URL: "mail",
  PUBLIC_URL: "itself",
  USER_ADDRESS: "mesh",
  DOCUMENT_ADDRESS: "mesh",
  STORAGE_ADDRESS: "mesh",
  INTEGRATION_ADDRESS: "mesh",
  WEB_ADDRESS: "mesh",
  GATEWAY_INNER_ADDRESS: "mesh",
  OTEL_EXPORTER_OTLP_ENDPOINT: "observability",
  // Not a place itself, but whoever has it goes wherever others say.
  WEBHOOK_TIMEOUT: "internet",
};

function variablesOf(settings: Settings): Map<string, string> {
  return new Map(settingsReference(settings).map((row) => [row.variable, row.default]));
}

describe("what a workload needs outside the mesh", () => {
  it.each(Object.keys(declared))("is what the settings of %s name", (name) => {
    const variables = [...variablesOf(declared[name] ?? {}).keys()];
    const unknown = variables.filter(
      (variable) => /(?<!_PER)_(URL|ADDRESS|ENDPOINT)$/.test(variable) && places[variable] === undefined,
    );
    expect(unknown).toEqual([]);
    const needs = variables
      .map((variable) => places[variable])
      .filter((place) => place !== undefined && place in outsides);
    expect([...new Set(needs)].sort()).toEqual([...rowOf(workloadNamed(name) ?? Workload.UNSPECIFIED).needs].sort());
  });

  it("has a ServiceEntry for every name and port, and no ServiceEntry that nobody needs", () => {
    const [environment] = meshOptions().environments;
    if (environment === undefined) throw new Error("there is no environment");
    const entries = configurationOf(environment).filter(({ kind }) => kind === "ServiceEntry") as Located<{
      hosts: string[];
      ports: { number: number }[];
    }>[];
    const covers = (pattern: string, host: string) =>
      host === pattern || (pattern.startsWith("*") && host.endsWith(pattern.slice(1)));
    for (const [need, { hosts, ports }] of Object.entries(outsides)) {
      for (const pattern of hosts) {
        const found = entries.filter(({ spec }) => spec.hosts.some((host) => covers(pattern, host)));
        expect([need, pattern, found.length > 0]).toEqual([need, pattern, true]);
        const open = new Set(found.flatMap(({ spec }) => spec.ports.map(({ number }) => number)));
        expect([need, ports.filter((port) => !open.has(port))]).toEqual([need, []]);
      }
    }
    for (const { name, spec } of entries) {
      const needed = Object.values(outsides).some(
        ({ hosts, ports }) =>
          spec.hosts.every((host) => hosts.some((pattern) => covers(pattern, host))) &&
          spec.ports.every(({ number }) => ports.length === 0 || ports.includes(number)),
      );
      expect([name, needed]).toEqual([name, true]);
    }
  });
});

describe("the ports of the mesh", () => {
  it("are those that the processes listen on", () => {
    for (const [name, settings] of Object.entries(declared)) {
      const row = rowOf(workloadNamed(name) ?? Workload.UNSPECIFIED);
      const variables = variablesOf(settings);
      const prefix = name.toUpperCase();
      const listened = [
        variables.get(name === "gateway" ? "PORT" : `${prefix}_PORT`),
        name === "gateway" ? variables.get("EDGE_INNER_PORT") : undefined,
      ];
      const ports = [row.grpcPort, ...(row.pages ?? []).map(({ port }) => port)].filter((port) => port !== undefined);
      expect([name, ports.map(String)]).toEqual([name, listened.filter((port) => port !== undefined)]);
    }
  });
});

describe("the Sidecars", () => {
  const [environment] = meshOptions().environments;
  if (environment === undefined) throw new Error("there is no environment");
  const sidecars = configurationOf(environment).filter(({ kind }) => kind === "Sidecar") as Located<{
    egress: [{ hosts: string[] }];
  }>[];
  const callees = (name: string) =>
    (sidecars.find((sidecar) => sidecar.name === name)?.spec.egress[0].hosts ?? [])
      .filter((host) => host.endsWith(`.${environment.namespace}.svc.cluster.local`))
      .map((host) => host.replace(/^\.\/(\w+)\..*$/, "$1"))
      .sort();
  const services = readdirSync(join(root, "services"));

  it.each(services)("let %s call the services that its clients.ts imports, and no other", (service) => {
    const text = readFileSync(join(root, "services", service, "clients.ts"), "utf8");
    const imported = [...text.matchAll(/contracts\/gen\/docket\/(\w+)\/v1\/\w+_service_pb/g)].map(
      ([, noun = ""]) => noun,
    );
    // The edge forwards what is published, to whoever serves it, and asks the portal for pages.
    const forwarded =
      service === "gateway" ? [...edgeRpcs().map((rpc) => workloadName(workloadOf(rpc.service))), "web"] : [];
    expect(callees(service)).toEqual([...new Set([...imported, ...forwarded])].sort());
  });

  it("let the portal call the edge, and workers what their services call", () => {
    expect(callees("web")).toEqual(["gateway"]);
    for (const workload of workloads.filter((one) => rowOf(one).worker)) {
      expect(callees(`${workloadName(workload)}-worker`)).toEqual(callees(workloadName(workload)));
    }
  });

  it("leave the Internet open to the integration service alone", () => {
    const open = sidecars.filter(
      ({ spec }) =>
        (spec as { outboundTrafficPolicy?: { mode: string } }).outboundTrafficPolicy?.mode !== "REGISTRY_ONLY",
    );
    expect(open.map(({ name }) => name).sort()).toEqual(["integration", "integration-worker"]);
  });
});
