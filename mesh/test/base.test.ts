// The hand-written part: what must never be loosened, and what other parts of the repository count on.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { keyCacheMs } from "@docket/runtime/token";
import { tokenAudience, tokenIssuer } from "@docket/runtime/token_claims";
import { describe, expect, it } from "@jest/globals";
import { parse } from "yaml";
import { settings as gatewaySettings } from "../../services/gateway/config.ts";
import { configurationOf, type Located, meshConfig, meshOptions, rootNamespace } from "../src/configuration.ts";

const mesh = join(import.meta.dirname, "..");
const options = meshOptions();
const everything = options.environments.flatMap((environment) => [...configurationOf(environment)]);

// biome-ignore lint/suspicious/noExplicitAny: what stands in it is the kind's.
type Spec = any;

function all(kind: string): Located<Spec>[] {
  const found = everything.filter((located) => located.kind === kind) as Located<Spec>[];
  expect([kind, found.length > 0]).toEqual([kind, true]);
  return found;
}

describe("the mesh", () => {
  it("speaks mTLS everywhere, on every port, in TLS 1.3", () => {
    const authentications = all("PeerAuthentication");
    expect(authentications.map(({ spec }) => spec)).toEqual(authentications.map(() => ({ mtls: { mode: "STRICT" } })));
    expect(authentications.map(({ namespace }) => namespace)).toEqual(
      expect.arrayContaining([rootNamespace, ...options.environments.map(({ namespace }) => namespace)]),
    );
    // A `tls` block would put itself in the place of the mesh's own mTLS.
    for (const { name, spec } of all("DestinationRule"))
      expect([name, JSON.stringify(spec)]).not.toEqual([name, expect.stringContaining('"tls"')]);
    expect(parse(meshConfig()).meshMTLS).toEqual({ minProtocolVersion: "TLSV1_3" });
  });

  it("allows nothing where no rule says so, in the root namespace and in each environment's", () => {
    const closed = all("AuthorizationPolicy").filter(({ spec }) => Object.keys(spec).length === 0);
    expect(new Set(closed.map(({ namespace }) => namespace))).toEqual(
      new Set([rootNamespace, ...options.environments.map(({ namespace }) => namespace)]),
    );
  });

  it("tries nothing again and reaches nothing by itself", () => {
    const config = parse(meshConfig());
    expect(config.defaultHttpRetryPolicy).toEqual({ attempts: 0 });
    expect(config.outboundTrafficPolicy).toEqual({ mode: "REGISTRY_ONLY" });
    expect(config.trustDomain).toBe(options.trustDomain);
    const open = all("Sidecar").filter(({ spec }) => spec.workloadSelector === undefined);
    for (const { spec } of open) expect(spec.egress).toEqual([{ hosts: ["~/*"] }]);
    expect(open.length).toBe(options.environments.length);
  });

  it("logs neither queries nor what signs somebody in", () => {
    const [log] = parse(meshConfig()).extensionProviders;
    const labels = Object.values(log.envoyFileAccessLog.logFormat.labels).join(" ");
    expect(labels).toContain("%PATH(NQ)%");
    expect(labels).not.toMatch(/REQ\((:PATH|X-ENVOY-ORIGINAL-PATH|AUTHORIZATION|COOKIE)|REQUESTED_URL/i);
    const providers = parse(meshConfig()).extensionProviders.map(({ name }: { name: string }) => name);
    for (const { spec } of all("Telemetry")) {
      for (const { providers: used } of [...spec.accessLogging, ...spec.tracing]) {
        for (const { name } of used) expect(providers).toContain(name);
      }
    }
  });

  it("believes the tokens of the user service and no others, and learns of a new key before it signs", () => {
    for (const { spec } of all("RequestAuthentication")) {
      expect(spec.jwtRules).toEqual([expect.objectContaining({ issuer: tokenIssuer, audiences: [tokenAudience] })]);
    }
    const values = parse(readFileSync(join(mesh, "control_plane/istiod_values.yaml"), "utf8"));
    const [, minutes] = /^(\d+)m$/.exec(values.pilot.env.PILOT_JWT_PUB_KEY_REFRESH_INTERVAL) ?? [];
    expect(Number(minutes) * 60_000).toBeLessThan(2 * keyCacheMs);
  });
});

describe("the way in", () => {
  it("cuts no upload, download or stream short, and splits between what is stable and what is on trial", () => {
    const routes = all("HTTPRoute").filter(({ name }) => name === "gateway");
    for (const { spec } of routes) {
      expect(spec.rules.length).toBe(1);
      expect(spec.rules[0].timeouts).toEqual({ request: "0s", backendRequest: "0s" });
      expect(spec.rules[0].retry).toBeUndefined();
      expect(spec.rules[0].backendRefs).toEqual([
        { name: "gateway", port: 8080, weight: 100 },
        { name: "gateway-canary", port: 8080, weight: 0 },
      ]);
    }
  });

  it("takes from clients what the edge would believe of its own sidecar", () => {
    const [{ spec }] = all("HTTPRoute").filter(({ name }) => name === "gateway") as [Located<Spec>];
    const { remove } = spec.rules[0].filters[0].requestHeaderModifier;
    const believed =
      readFileSync(join(mesh, "../services/gateway/http/edge.ts"), "utf8").match(/"x-forwarded-[a-z-]+"/g) ?? [];
    expect(believed.length).toBeGreaterThan(1);
    // Envoy writes these two itself.
    const written = ['"x-forwarded-for"', '"x-forwarded-proto"'];
    for (const header of believed.filter((name) => !written.includes(name)))
      expect(remove).toContain(JSON.parse(header));
    expect(remove).toContain("x-forwarded-client-cert");
  });

  it("is not mixed with a VirtualService: weights of one host stand in one place", () => {
    const hosts = all("VirtualService").flatMap(({ spec }) => spec.hosts);
    for (const host of hosts) expect(host).not.toMatch(/^(gateway|web|ingress)\./);
  });
});

describe("connections", () => {
  it("carry more streams than the edge lets in, so that it says no by itself", () => {
    const streams = Number(gatewaySettings.limits.streams.default);
    for (const { spec } of all("DestinationRule")) {
      expect(spec.trafficPolicy.connectionPool.http.http2MaxRequests).toBeGreaterThan(streams);
      expect(spec.trafficPolicy.connectionPool.http.maxRequestsPerConnection).toBe(0);
    }
  });
});

describe("an overlay", () => {
  it.each(options.environments)("of $name has its namespace, its policies and its names", ({ name, namespace }) => {
    const overlay = parse(readFileSync(join(mesh, "overlays", name, "kustomization.yaml"), "utf8"));
    expect(overlay).toMatchObject({
      namespace,
      resources: [`../../gen/${name}`, "../../base"],
      components: [`../../../argocd/environments/${name}`, "../platform", "../../gen/region"],
    });
    const environment = parse(readFileSync(join(mesh, "../argocd/environments", name, "environment.yaml"), "utf8"));
    expect(environment.data).toMatchObject({ name, namespace });
  });

  it("puts the region into every name of a Sidecar that has a word in its place", () => {
    const component = parse(readFileSync(join(mesh, "gen/region/kustomization.yaml"), "utf8"));
    const replaced = component.replacements[0].targets.flatMap((target: Spec) =>
      target.select.name
        .split("|")
        .map((name: string) => `${name} ${target.fieldPaths[0].replace(/^.*\[=(.*)\]$/, "$1")}`),
    );
    const words = all("Sidecar")
      .filter(({ namespace }) => namespace === options.environments[0]?.namespace)
      .flatMap(({ name, spec }) => spec.egress[0].hosts.map((host: string) => `${name} ${host}`))
      .filter((host) => host.split(".").includes("region"));
    expect(words.length).toBeGreaterThan(0);
    expect([...replaced].sort()).toEqual(words.sort());
  });
});
