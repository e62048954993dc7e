// Why a call is allowed or refused: the generated rule that decides, found by reading the manifests as Istio reads them.

import type { DescMethod } from "@bufbuild/protobuf";
import type { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { callersOf, rpcNameOf, workloadName } from "@docket/contracts/policy";
import { demandOf } from "./call_graph.ts";
import type { Caller, TokenState } from "./cells.ts";
import { configurationOf, type Located, meshOptions } from "./configuration.ts";
import { evaluate, type Token, type Verdict } from "./evaluate.ts";
import { type Environment, hostOf, type MeshOptions, principalOf } from "./options.ts";
import { rowOf } from "./workloads.ts";

/** A call to be explained. */
export interface Call {
  /** The environment of the workload that is called. */
  readonly environment: string;
  readonly caller: Caller;
  /** The workload that is called. */
  readonly workload: Workload;
  readonly method: DescMethod;
  readonly token: TokenState;
}

/** The answer: what happens, what decides, and what else bears on it. */
export interface Explanation extends Verdict {
  /** `mesh/gen/dev/document.yaml: AuthorizationPolicy document, rule 3 allows it.` */
  readonly sentence: string;
  /** Where no rule allows it: what the contract asks for that the call lacks, `Its policy names gateway, and not web.` */
  readonly lacks: string | undefined;
  /** Whether the caller's Sidecar lets it get there at all. */
  readonly reach: { readonly allowed: boolean; readonly sentence: string };
  /** The route that would take it, with its deadline and retries; undefined where there is none. */
  readonly route: string | undefined;
}

/** Explains calls from what is checked in, which is read once. */
export class Explainer {
  readonly #options: MeshOptions;
  readonly #configurations = new Map<string, readonly Located<unknown>[]>();

  constructor(options: MeshOptions = meshOptions()) {
    this.#options = options;
  }

  /** The environments that there are. */
  get environments(): readonly string[] {
    return this.#options.environments.map(({ name }) => name);
  }

  /** Says what happens to a call. Throws where it names no environment, or a manifest holds what cannot be judged. */
  explain(call: Call): Explanation {
    const environment = this.#environment(call.environment);
    const home = this.#environment(call.caller.environment);
    const served = this.#configuration(environment);
    const { grpcPort, foreignPort } = rowOf(call.workload);
    const verdict = evaluate(
      {
        namespace: environment.namespace,
        labels: { app: workloadName(call.workload) },
        port: grpcPort ?? foreignPort ?? 0,
        method: "POST",
        path: `/${rpcNameOf(call.method)}`,
        principal: principalOf(call.caller.workload, this.#options, home),
        token: tokens[call.token],
      },
      served,
    );
    return {
      ...verdict,
      sentence: sentenceOf(verdict),
      lacks: verdict.by?.kind === "AuthorizationPolicy" && verdict.outcome === "denied" ? lacksOf(call) : undefined,
      reach: reachOf(call, this.#configuration(home), home, environment),
      route: routeOf(call, served),
    };
  }

  #environment(name: string): Environment {
    const environment = this.#options.environments.find((candidate) => candidate.name === name);
    if (environment === undefined)
      throw new Error(`There is no environment ${name}; there are ${this.environments.join(", ")}.`);
    return environment;
  }

  #configuration(environment: Environment): readonly Located<unknown>[] {
    const known = this.#configurations.get(environment.name) ?? configurationOf(environment);
    this.#configurations.set(environment.name, known);
    return known;
  }
}

const person: Token = {
  issuer: "docket",
  audience: "docket",
  subject: "018f0000-0000-7000-8000-000000000000",
  claims: { kind: "person" },
  sound: true,
};

/** What the token of each state says. */
export const tokens: Readonly<Record<TokenState, Token | undefined>> = {
  none: undefined,
  person,
  key: { ...person, claims: { kind: "application" } },
  expired: { ...person, sound: false },
  forged: { ...person, sound: false },
  "wrong-audience": { ...person, audience: "another" },
};

function sentenceOf({ outcome, by }: Verdict): string {
  if (by === undefined) return "No policy concerns it, so it passes.";
  const where = `${by.file}: ${by.kind} ${by.name}`;
  if (by.kind === "RequestAuthentication") {
    return outcome === "denied"
      ? `${where} knows the token's issuer and is not its audience.`
      : `${where} does not believe the token.`;
  }
  if (by.rule !== undefined) return `${where}, rule ${by.rule} ${outcome === "allowed" ? "allows" : "forbids"} it.`;
  return `${where} has no rule that allows it.`;
}

const wantedTokens = {
  none: "no token",
  any: "a person's or a key's token",
  person: "a person's token",
  application: "a key's token",
} as const;

function lacksOf({ environment, caller, workload, method, token }: Call): string | undefined {
  const name = workloadName(caller.workload);
  const callers = callersOf(method).filter((each) => each !== workload);
  if (caller.environment !== environment)
    return `${name} of ${caller.environment} is nobody in ${environment}: a caller is of the callee's own namespace.`;
  if (caller.workload === workload) return `${name} would call itself, and no workload does.`;
  if (!callers.includes(caller.workload))
    return `Its policy in proto/ names ${callers.map(workloadName).join(", ") || "nobody"}, and not ${name}.`;
  const given = token === "none" ? "none is given" : `what is given is a ${token}'s`;
  return `${name} may call it with ${wantedTokens[demandOf(method)]}, and ${given}.`;
}

interface SidecarSpec {
  readonly workloadSelector?: { readonly labels: Readonly<Record<string, string>> };
  readonly egress: readonly { readonly hosts: readonly string[] }[];
}

function reachOf(
  { caller, workload }: Call,
  configuration: readonly Located<unknown>[],
  home: Environment,
  environment: Environment,
): Explanation["reach"] {
  const name = workloadName(caller.workload);
  if (rowOf(caller.workload).gateway) {
    return {
      allowed: true,
      sentence: `${name} is a gateway: no Sidecar concerns it, and its routes lead to the edge alone.`,
    };
  }
  const sidecars = configuration.filter(({ kind }) => kind === "Sidecar") as readonly Located<SidecarSpec>[];
  const own = sidecars.find(({ spec }) => spec.workloadSelector?.labels.app === name);
  const sidecar = own ?? sidecars.find(({ spec }) => spec.workloadSelector === undefined);
  if (sidecar === undefined) return { allowed: true, sentence: `No Sidecar concerns ${name}.` };
  const wanted = `${environment.name === home.name ? "." : environment.namespace}/${hostOf(workload, environment)}`;
  const allowed = sidecar.spec.egress.some(({ hosts }) => hosts.includes(wanted));
  const where = `${sidecar.file}: Sidecar ${sidecar.name}`;
  return {
    allowed,
    sentence: `${where} ${allowed ? "lets it get there" : `does not name ${workloadName(workload)}, so it ends before it begins, with 14 at the caller`}.`,
  };
}

interface VirtualServiceSpec {
  readonly http: readonly {
    readonly name: string;
    readonly match: readonly { readonly uri: { readonly exact: string } }[];
    readonly timeout?: string;
    readonly retries: { readonly attempts: number };
  }[];
}

function routeOf({ workload, method }: Call, configuration: readonly Located<unknown>[]): string | undefined {
  const services = configuration.filter(
    ({ kind }) => kind === "VirtualService",
  ) as readonly Located<VirtualServiceSpec>[];
  const service = services.find(({ name }) => name === workloadName(workload));
  const route = service?.spec.http.find(({ match }) => match.some(({ uri }) => uri.exact === `/${rpcNameOf(method)}`));
  if (service === undefined || route === undefined) return undefined;
  const { timeout, retries } = route;
  const time = timeout === undefined ? "no deadline" : `at most ${timeout}`;
  const again = retries.attempts === 0 ? "never tried again" : `tried again up to ${retries.attempts} times`;
  return `${service.file}: VirtualService ${service.name}, route ${route.name}: ${time}, ${again}.`;
}
