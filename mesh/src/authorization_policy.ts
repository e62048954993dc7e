// Who may call what at a workload: principals, exact paths and the token that must stand behind the call. Whatever no rule
// names is refused by the rule that allows nothing (mesh/base).

import type { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { workloadName, workloads } from "@docket/contracts/policy";
import type { CallGraph, Demand, ServedRpc } from "./call_graph.ts";
import type { Commented } from "./manifest.ts";
import { type Environment, type MeshOptions, principalOf } from "./options.ts";
import { rowOf } from "./workloads.ts";

/** The issuer and the audience of every token (runtime/token_claims.ts). */
export const tokenIssuer = "docket";

const demands: readonly Demand[] = ["none", "any", "person", "application"];
const words: Readonly<Record<Demand, string>> = {
  none: "without a token",
  any: "for a person or an application",
  person: "for a person",
  application: "for an application",
};

/** The policy of a workload, or undefined for one that takes no calls: nothing is allowed there already. */
export function authorizationPolicy(
  workload: Workload,
  graph: CallGraph,
  options: MeshOptions,
  environment: Environment,
): Commented | undefined {
  const rules = [...pageRules(workload, options, environment), ...rpcRules(workload, graph, options, environment)];
  if (rules.length === 0) return undefined;
  const name = workloadName(workload);
  return {
    manifest: {
      apiVersion: "security.istio.io/v1",
      kind: "AuthorizationPolicy",
      metadata: { name, namespace: environment.namespace },
      spec: { selector: { matchLabels: { app: name } }, action: "ALLOW", rules: rules.map(({ rule }) => rule) },
    },
    remarks: rules.map(({ text }, index) => ({ at: ["spec", "rules", index], text: `${index + 1}: ${text}` })),
  };
}

interface Rule {
  readonly text: string;
  readonly rule: unknown;
}

function pageRules(workload: Workload, options: MeshOptions, environment: Environment): Rule[] {
  const { pages = [], publicPorts } = rowOf(workload);
  const rules: Rule[] = pages.map(({ port, callers }) => ({
    text: `${callers.map(workloadName).join(", ")}, any path`,
    rule: {
      from: [{ source: { principals: callers.map((caller) => principalOf(caller, options, environment)) } }],
      to: [{ operation: { ports: [String(port)] } }],
    },
  }));
  if (publicPorts === undefined) return rules;
  return [...rules, { text: "everybody outside", rule: { to: [{ operation: { ports: publicPorts.map(String) } }] } }];
}

/** One rule for all RPCs with the same callers and the same demand. */
function rpcRules(workload: Workload, graph: CallGraph, options: MeshOptions, environment: Environment): Rule[] {
  const groups = new Map<string, ServedRpc[]>();
  for (const rpc of graph.served(workload)) {
    if (rpc.callers.length === 0) continue;
    const key = `${demands.indexOf(rpc.demand)} ${sorted(rpc.callers).join()}`;
    groups.set(key, [...(groups.get(key) ?? []), rpc]);
  }
  const { foreignPort } = rowOf(workload);
  return [...groups.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, rpcs]) => {
      const [{ callers, demand }] = rpcs as [ServedRpc];
      return {
        text: `${textOf(callers, workload)}, ${words[demand]}`,
        rule: {
          from: [
            {
              source: {
                principals: sorted(callers).map((caller) => principalOf(caller, options, environment)),
                ...(demand === "none" ? {} : { requestPrincipals: [`${tokenIssuer}/*`] }),
              },
            },
          ],
          to: [
            {
              operation: {
                ...(foreignPort === undefined ? {} : { ports: [String(foreignPort)] }),
                methods: ["POST"],
                paths: rpcs.map(({ name }) => `/${name}`),
              },
            },
          ],
          ...(demand === "person" || demand === "application"
            ? { when: [{ key: "request.auth.claims[kind]", values: [demand] }] }
            : {}),
        },
      };
    });
}

function textOf(callers: readonly Workload[], self: Workload): string {
  const others = workloads.filter((workload) => workload !== self);
  return callers.length === others.length ? "every workload" : sorted(callers).map(workloadName).join(", ");
}

function sorted(callers: readonly Workload[]): Workload[] {
  return [...callers].sort((a, b) => a - b);
}
