// What is checked in is what the plugin makes, and what the plugin makes says what the contract says.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { file_grpc_health_v1_health } from "@docket/contracts/gen/grpc/health/v1/health_pb.ts";
import { file_grpc_reflection_v1_reflection } from "@docket/contracts/gen/grpc/reflection/v1/reflection_pb.ts";
import { file_grpc_reflection_v1alpha_reflection } from "@docket/contracts/gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { workloadName, workloads } from "@docket/contracts/policy";
import { files } from "@docket/contracts/registry";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { parseAllDocuments } from "yaml";
import { servedMethods } from "../src/cells.ts";
import { configurationOf, type Located, meshOptions } from "../src/configuration.ts";
import { meshFiles } from "../src/manifests.ts";
import { parseOptions } from "../src/options.ts";
import { rowOf } from "../src/workloads.ts";

const root = join(import.meta.dirname, "..", "..");
const options = meshOptions();
const environments = options.environments;

function filesBelow(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  return new Map(paths.map((path) => [path.slice(folder.length + 1), readFileSync(path, "utf8")]));
}

function specs<Spec>(kind: string, environment = environments[0]): Located<Spec>[] {
  if (environment === undefined) throw new Error("there is no environment");
  return configurationOf(environment).filter((located) => located.kind === kind) as Located<Spec>[];
}

interface PolicySpec {
  readonly rules?: readonly {
    readonly from?: readonly { readonly source: { readonly principals: readonly string[] } }[];
    readonly to: readonly {
      readonly operation: { readonly paths?: readonly string[]; readonly methods?: readonly string[] };
    }[];
  }[];
}

interface RoutesSpec {
  readonly hosts: readonly string[];
  readonly http: readonly {
    readonly name: string;
    readonly match: readonly { readonly uri: { readonly exact: string } }[];
    readonly timeout?: string;
    readonly retries?: { readonly attempts: number; readonly retryOn?: string };
    readonly route: readonly { readonly destination: { readonly subset: string }; readonly weight: number }[];
  }[];
}

/** The paths that a workload serves, by the contract. */
function pathsOf(workload: string): string[] {
  const served = servedMethods().filter((one) => workloadName(one.workload) === workload);
  return served.map(({ method }) => `/${method.parent.typeName}/${method.name}`).sort();
}

const servers = workloads.filter((workload) => rowOf(workload).grpcPort !== undefined).map(workloadName);

describe("mesh/gen", () => {
  it("is what the contract in contracts/gen makes, file by file", () => {
    const all = [
      ...files,
      file_grpc_health_v1_health,
      file_grpc_reflection_v1_reflection,
      file_grpc_reflection_v1alpha_reflection,
    ];
    const made = meshFiles(
      all.sort((a, b) => (a.name < b.name ? -1 : 1)),
      options,
    );
    expect(filesBelow(join(root, "mesh", "gen"))).toEqual(new Map([...made].sort(([a], [b]) => (a < b ? -1 : 1))));
  });

  it("is what the plugin makes of proto/ as buf runs it", async () => {
    await using folder = await temporaryFolder();
    const path = [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter);
    execFileSync("buf", ["generate", "--template", "buf.gen.mesh.yaml", "-o", folder.path], {
      cwd: root,
      env: { ...process.env, PATH: path },
    });
    expect(filesBelow(folder.path)).toEqual(filesBelow(join(root, "mesh", "gen")));
  });

  it.each(servers)("has each RPC of %s in exactly one rule and one route", (workload) => {
    const policy = specs<PolicySpec>("AuthorizationPolicy").find(({ name }) => name === workload);
    const inRules = (policy?.spec.rules ?? []).flatMap(({ to }) =>
      to.flatMap(({ operation }) => operation.paths ?? []),
    );
    expect([...inRules].sort()).toEqual(pathsOf(workload));
    const routes = specs<RoutesSpec>("VirtualService").find(({ name }) => name === workload);
    const inRoutes = (routes?.spec.http ?? []).flatMap(({ match }) => match.map(({ uri }) => uri.exact));
    expect([...inRoutes].sort()).toEqual(pathsOf(workload));
  });

  it("gives every unary RPC its deadline and says its retries, and streams no deadline", () => {
    const seen = { unary: 0, streams: 0 };
    for (const { spec } of specs<RoutesSpec>("VirtualService")) {
      for (const { name, match, timeout, retries } of spec.http) {
        for (const { uri } of match) {
          const { method } =
            servedMethods().find((one) => `/${one.method.parent.typeName}/${one.method.name}` === uri.exact) ?? {};
          const stream = method?.methodKind !== "unary";
          seen[stream ? "streams" : "unary"] += 1;
          expect([uri.exact, name === "streams", timeout === undefined]).toEqual([uri.exact, stream, stream]);
          expect([uri.exact, retries?.attempts]).not.toEqual([uri.exact, undefined]);
          if (retries?.attempts !== 0) expect(method?.idempotency).not.toBe(0);
        }
      }
    }
    expect(seen.unary + seen.streams).toBe(servedMethods().length);
    expect(seen.streams).toBeGreaterThan(10);
  });

  it("splits every route between what is stable and what is on trial, all to the first", () => {
    for (const { spec } of specs<RoutesSpec>("VirtualService")) {
      for (const { route } of spec.http) {
        expect(route.map(({ destination, weight }) => [destination.subset, weight])).toEqual([
          ["stable", 100],
          ["canary", 0],
        ]);
      }
    }
  });

  it.each(environments)("names principals of $namespace only, each a workload", ({ name }) => {
    const environment = environments.find((candidate) => candidate.name === name);
    const known = workloads.map(
      (workload) => `cluster.local/ns/${environment?.namespace}/sa/${workloadName(workload)}`,
    );
    const policies = specs<PolicySpec>("AuthorizationPolicy", environment);
    const named = policies.flatMap(({ spec }) =>
      (spec.rules ?? []).flatMap(({ from = [] }) => from.flatMap(({ source }) => source.principals)),
    );
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter((principal) => !known.includes(principal))).toEqual([]);
  });

  it("opens a path to nobody without saying who, but for the way in from outside", () => {
    for (const { name, spec } of specs<PolicySpec>("AuthorizationPolicy")) {
      for (const { from, to } of spec.rules ?? []) {
        expect([name, from === undefined]).toEqual([name, name === "ingress"]);
        for (const { operation } of to) for (const path of operation.paths ?? []) expect(path).not.toContain("*");
      }
    }
  });

  it("lets nobody call workers, migrations and the access pod", () => {
    const selected = specs<{ selector?: { matchLabels: { app: string } } }>("AuthorizationPolicy").map(
      ({ spec }) => spec.selector?.matchLabels.app,
    );
    expect(selected.filter((app) => app !== undefined).sort()).toEqual([
      "document",
      "gateway",
      "ingress",
      "integration",
      "storage",
      "user",
      "web",
    ]);
    for (const { name, spec } of specs<{ ingress: { from?: { podSelector?: unknown }[] }[] }>("NetworkPolicy")) {
      if (!/-(worker|migration)$|^operator$/.test(name)) continue;
      const pods = spec.ingress.flatMap(({ from = [] }) => from.filter(({ podSelector }) => podSelector !== undefined));
      expect([name, pods]).toEqual([name, []]);
    }
  });

  it("is the same in every environment but for its names", () => {
    const [first, ...others] = environments.map(
      ({ name, namespace }) =>
        new Map(
          [...filesBelow(join(root, "mesh", "gen", name))].map(([path, text]) => [
            path,
            text.replaceAll(namespace, "NAMESPACE"),
          ]),
        ),
    );
    for (const other of others) expect(other).toEqual(first);
  });

  it("is YAML of which every document names its kind, its name and its namespace", () => {
    for (const [path, text] of filesBelow(join(root, "mesh", "gen", "dev"))) {
      for (const document of parseAllDocuments(text)) {
        expect([path, document.errors]).toEqual([path, []]);
        const { kind, metadata } = document.toJS() as { kind: string; metadata?: { namespace: string } };
        if (kind !== "Kustomization") expect([path, kind, metadata?.namespace]).toEqual([path, kind, "docket-dev"]);
      }
    }
  });
});

describe("the call graph", () => {
  const page = readFileSync(join(root, "mesh", "gen", "call-graph.md"), "utf8");

  it("is a diagram with an arrow from each caller, and names what is called behind the edge", () => {
    expect(page).toMatch(/gateway -- \d+ --> user/);
    expect(page).toContain("ingress -- HTTP --> gateway");
    expect(page).toMatch(/- document → storage: `BlobService\/AttachUpload`/);
    expect(page).toContain("- `grpc.health.v1.Health`: every workload");
  });

  it("has no arrow but those of rules", () => {
    const arrows = [...page.matchAll(/^ {2}(\w+) -- (?:\d+|HTTP) --> (\w+)$/gm)].map(([, from = "", to = ""]) => ({
      from,
      to,
    }));
    expect(arrows.length).toBeGreaterThan(8);
    for (const { from, to } of arrows) {
      const policy = specs<PolicySpec>("AuthorizationPolicy").find(({ name }) => name === to);
      const principals = (policy?.spec.rules ?? []).flatMap((rule) =>
        (rule.from ?? []).flatMap(({ source }) => source.principals),
      );
      expect(principals).toContain(`cluster.local/ns/docket-dev/sa/${from}`);
    }
  });
});

describe("the options of the plugin", () => {
  it.each([
    ["", "trust_domain must be set"],
    ["trust_domain=a.b", "observability must be set"],
    ["trust_domain=a.b,observability=o", "environment must be set"],
    ["trust_domain=A_B", '"trust_domain=A_B" does not name'],
    ["trust_domain=a.b,environment=dev", '"environment=dev" does not name'],
    ["colour=blue", '"colour=blue" is no option'],
  ])("are refused with a sentence when they are %j", (parameter, sentence) => {
    expect(() => parseOptions(parameter)).toThrow(sentence);
  });
});
