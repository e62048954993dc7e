// Each policy deleted, and widened wherever it narrows anything: the states of the mesh in which some assertion must fail.

import { cells, decideByContract, type Cell } from "../src/cells.ts";
import type { Located } from "../src/configuration.ts";
import { evaluate } from "../src/evaluate.ts";
import { tokens } from "../src/explain.ts";
import { principalOf, type MeshOptions } from "../src/options.ts";
import { rowOf } from "../src/workloads.ts";
import { rpcNameOf, workloadName } from "@docket/contracts/policy";
import { type KubernetesObject, nameOf } from "./objects.ts";
import { environments, namespaceOf } from "./render.ts";

/** One change of the policies. */
export interface Mutant {
  /** `AuthorizationPolicy docket-prod/document: rule 3 for everybody` */
  readonly name: string;
  /** The kind and name of what is changed, for the assertions that watch over it. */
  readonly kind: string;
  readonly target: string;
  /** All of Istio's objects, with the change. */
  readonly objects: readonly KubernetesObject[];
  /** Cells that are decided otherwise then; empty where cells say nothing of it. */
  readonly witnesses: readonly Cell[];
}

interface Rule {
  readonly from?: readonly { readonly source: { principals?: string[]; requestPrincipals?: string[] } }[];
  readonly to?: readonly { readonly operation: { paths?: string[]; ports?: string[]; methods?: string[] } }[];
  when?: readonly object[];
}

type Edit = (object: KubernetesObject) => void;

/** How many cells are asked for one change; all of them are known to differ. */
const asked = 3;

/** Every change, of the objects that an environment has. Redundant pairs (the root namespace's and the environment's) change together. */
export function mutantsOf(objects: readonly KubernetesObject[], environment: string, options: MeshOptions): Mutant[] {
  const all = cells(
    environment,
    environments.filter((other) => other !== environment),
  );
  const make = (name: string, of: readonly KubernetesObject[], edit: Edit | "delete"): Mutant => {
    const changed = objects.flatMap((object) => {
      if (!of.includes(object)) return [object];
      if (edit === "delete") return [];
      const copy = structuredClone(object);
      edit(copy);
      return [copy];
    });
    const [first] = of;
    return {
      name: `${of.map(nameOf).join(" and ")}: ${name}`,
      kind: first?.kind ?? "",
      target: first?.metadata.name ?? "",
      objects: changed,
      witnesses: witnessesOf(all, changed, environment, options),
    };
  };
  return [
    ...authorizationMutants(objects, make),
    ...byKind(objects, "PeerAuthentication", (pair) => [
      make("deleted", pair, "delete"),
      make("permissive", pair, ({ spec }) => {
        spec.mtls.mode = "PERMISSIVE";
      }),
    ]),
    ...each(objects, "RequestAuthentication", (object) => [
      make("deleted", [object], "delete"),
      make("for every audience", [object], ({ spec }) => {
        delete spec.jwtRules[0].audiences;
      }),
      make("for another issuer", [object], ({ spec }) => {
        spec.jwtRules[0].issuer = "elsewhere";
      }),
    ]),
    ...each(objects, "VirtualService", (object) => [
      make("deleted", [object], "delete"),
      ...(object.spec.http as { name: string; timeout?: string }[]).flatMap(({ name, timeout }, index) => [
        timeout === undefined
          ? make(`${name} with a timeout`, [object], ({ spec }) => {
              spec.http[index].timeout = "2s";
            })
          : make(`${name} without a timeout`, [object], ({ spec }) => {
              delete spec.http[index].timeout;
            }),
        make(`${name} with other retries`, [object], ({ spec }) => {
          spec.http[index].retries = { attempts: 4, retryOn: "unavailable" };
        }),
      ]),
      make("a route for whatever comes", [object], ({ spec }) => {
        const [first] = spec.http;
        spec.http.push({ ...structuredClone(first), name: "rest", match: undefined });
      }),
    ]),
    ...each(objects, "DestinationRule", (object) => [
      make("deleted", [object], "delete"),
      make("nobody is ejected", [object], ({ spec }) => {
        delete spec.trafficPolicy.outlierDetection;
      }),
      make("pools without a limit", [object], ({ spec }) => {
        delete spec.trafficPolicy.connectionPool;
      }),
    ]),
    ...each(objects, "Sidecar", (object) => [
      make("deleted", [object], "delete"),
      make("everything is reached", [object], ({ spec }) => {
        spec.egress = [{ hosts: ["*/*"] }];
        spec.outboundTrafficPolicy = { mode: "ALLOW_ANY" };
      }),
    ]),
    ...each(objects, "ServiceEntry", (object) => [make("deleted", [object], "delete")]),
    ...byKind(objects, "Telemetry", (of) => [make("deleted", of, "delete")]),
  ];
}

type Make = (name: string, of: readonly KubernetesObject[], edit: Edit | "delete") => Mutant;

function authorizationMutants(objects: readonly KubernetesObject[], make: Make): Mutant[] {
  const policies = objects.filter(({ kind }) => kind === "AuthorizationPolicy");
  const nothing = policies.filter(({ spec }) => (spec?.rules ?? []).length === 0);
  const something = policies.filter((policy) => !nothing.includes(policy));
  return [
    make("deleted", nothing, "delete"),
    ...something.flatMap((policy) => [
      make("deleted", [policy], "delete"),
      // The way in is open to everybody at the ports it has, and has no others.
      ...(policy.metadata.name === "ingress"
        ? []
        : [
            make("for everything", [policy], ({ spec }) => {
              spec.rules = [{}];
            }),
          ]),
      ...(policy.spec.rules as Rule[]).flatMap((rule, index) => ruleMutants(policy, rule, index, make)),
    ]),
  ];
}

function ruleMutants(policy: KubernetesObject, rule: Rule, index: number, make: Make): Mutant[] {
  const change = (what: string, edit: (rule: Rule & Record<string, unknown>) => void) =>
    make(`rule ${index + 1} ${what}`, [policy], ({ spec }) => edit(spec.rules[index]));
  const mutants = [
    make(`rule ${index + 1} deleted`, [policy], ({ spec }) => {
      spec.rules.splice(index, 1);
    }),
  ];
  if (rule.from?.some(({ source }) => source.principals)) {
    mutants.push(
      change("for every workload", ({ from = [] }) => {
        for (const { source } of from) source.principals = ["*"];
      }),
    );
  }
  if (rule.from?.some(({ source }) => source.requestPrincipals)) {
    mutants.push(
      // A claim is a token's as well, so that both go.
      change("without a token", (whole) => {
        for (const { source } of whole.from ?? []) delete source.requestPrincipals;
        delete whole.when;
      }),
    );
  }
  if (rule.when !== undefined) {
    mutants.push(
      change("for persons and applications", (whole) => {
        delete whole.when;
      }),
    );
  }
  if (rule.to?.some(({ operation }) => operation.paths)) {
    mutants.push(
      change("for every path", ({ to = [] }) => {
        for (const { operation } of to) operation.paths = ["/*"];
      }),
    );
  }
  return mutants;
}

function each(
  objects: readonly KubernetesObject[],
  kind: string,
  make: (object: KubernetesObject) => Mutant[],
): Mutant[] {
  return objects.filter((object) => object.kind === kind).flatMap(make);
}

function byKind(
  objects: readonly KubernetesObject[],
  kind: string,
  make: (objects: readonly KubernetesObject[]) => Mutant[],
): Mutant[] {
  const found = objects.filter((object) => object.kind === kind);
  return found.length === 0 ? [] : make(found);
}

/** The cells that the changed policies decide otherwise than the contract; a few of them, as different as they come. */
function witnessesOf(
  all: readonly Cell[],
  objects: readonly KubernetesObject[],
  environment: string,
  options: MeshOptions,
): Cell[] {
  const configuration: Located<unknown>[] = objects.map(({ kind, metadata, spec }) => ({
    file: "",
    kind,
    name: metadata.name,
    namespace: metadata.namespace ?? "",
    spec: spec ?? {},
  }));
  const found: Cell[] = [];
  const seen = new Set<string>();
  for (const cell of all) {
    if (found.length === asked) break;
    const home = cell.caller.environment;
    const { outcome } = evaluate(
      {
        namespace: namespaceOf(environment),
        labels: { app: workloadName(cell.workload) },
        port: rowOf(cell.workload).grpcPort ?? 0,
        method: "POST",
        path: `/${rpcNameOf(cell.method)}`,
        principal: principalOf(cell.caller.workload, options, { name: home, namespace: namespaceOf(home) }),
        token: tokens[cell.token],
      },
      configuration,
    );
    const key = `${workloadName(cell.caller.workload)} ${cell.token}`;
    if (outcome === decideByContract(cell) || seen.has(key)) continue;
    seen.add(key);
    found.push(cell);
  }
  return found;
}
