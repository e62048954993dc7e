/**
 * What Istio makes of a request by its RequestAuthentications and AuthorizationPolicies, for the fields that mesh/ uses.
 * A field that it does not know is an error and never passed over: it would make it judge otherwise than Envoy.
 */
import { type Located, rootNamespace } from "./configuration.ts";

/** A request as it reaches a workload's sidecar. */
export interface MeshRequest {
  /** The namespace and the labels of the pod that is called. */
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly port: number;
  readonly method: string;
  readonly path: string;
  /** The caller by its certificate: `cluster.local/ns/docket-dev/sa/gateway`. */
  readonly principal: string;
  readonly token: Token | undefined;
}

/** What a token is and says. */
export interface Token {
  readonly issuer: string;
  readonly audience: string;
  readonly subject: string;
  readonly claims: Readonly<Record<string, string>>;
  /** Whether its signature and its times are good. */
  readonly sound: boolean;
}

/** What happens to a request. The number is the gRPC status that its caller sees; 0: it reaches the process. */
export interface Verdict {
  readonly outcome: Outcome;
  readonly code: 0 | 7 | 16;
  /** What decided; undefined when nothing did, so that it passes. */
  readonly by: Decision | undefined;
}

export type Outcome = "allowed" | "unauthenticated" | "denied";

/** The manifest that decided. */
export interface Decision {
  readonly file: string;
  readonly kind: string;
  readonly name: string;
  /** Which rule allowed or forbade it, from 1; undefined where none matched. */
  readonly rule: number | undefined;
}

/** Judges a request as its sidecar would: the token first, then what is forbidden, then what is allowed. */
export function evaluate(request: MeshRequest, configuration: readonly Located<unknown>[]): Verdict {
  const here = configuration.filter((located) => concerns(located, request));
  const { refused, verified } = authenticate(request, here);
  if (refused) return refused;
  const policies = here
    .filter(({ kind }) => kind === "AuthorizationPolicy")
    .map((policy) => ({ policy, ...read(policy) }));
  for (const { policy, rules } of policies.filter(({ action }) => action === "DENY")) {
    const rule = firstMatch(rules, request, verified);
    if (rule !== undefined) return verdict("denied", policy, rule);
  }
  const allowing = policies.filter(({ action }) => action === "ALLOW");
  for (const { policy, rules } of allowing) {
    const rule = firstMatch(rules, request, verified);
    if (rule !== undefined) return verdict("allowed", policy, rule);
  }
  // The most telling of those that allow nothing is the workload's own.
  const last = allowing.find(({ rules }) => rules.length > 0) ?? allowing[0];
  return last === undefined
    ? { outcome: "allowed", code: 0, by: undefined }
    : verdict("denied", last.policy, undefined);
}

const codes = { allowed: 0, denied: 7, unauthenticated: 16 } as const;

function verdict(outcome: Outcome, { file, kind, name }: Located<unknown>, rule?: number): Verdict {
  return { outcome, code: codes[outcome], by: { file, kind, name, rule } };
}

/** Whether a policy is about the pod that is called: in its namespace or the root's, with a selector that fits. */
function concerns({ namespace, spec }: Located<unknown>, request: MeshRequest): boolean {
  if (namespace !== request.namespace && namespace !== rootNamespace) return false;
  const { selector } = spec as { selector?: { matchLabels?: Record<string, string> } };
  return Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => request.labels[key] === value);
}

interface JwtRule {
  readonly issuer: string;
  readonly audiences?: readonly string[];
  readonly [field: string]: unknown;
}

/** No token passes; one of an issuer that is not believed does not, wherever tokens are believed at all. */
function authenticate(
  { token }: MeshRequest,
  here: readonly Located<unknown>[],
): { readonly refused?: Verdict; readonly verified?: Token } {
  const authentications = here.filter(({ kind }) => kind === "RequestAuthentication");
  const [first] = authentications;
  if (token === undefined || first === undefined) return {};
  for (const authentication of authentications) {
    const spec = authentication.spec as { jwtRules: readonly JwtRule[] };
    only(spec, ["selector", "jwtRules"], authentication);
    for (const rule of spec.jwtRules) {
      only(rule, ["issuer", "audiences", "jwksUri", "jwks", "fromHeaders", "forwardOriginalToken"], authentication);
      if (rule.issuer !== token.issuer) continue;
      if (!token.sound) return { refused: verdict("unauthenticated", authentication) };
      // Envoy knows who it is and refuses: that is 403 and not 401.
      if (rule.audiences?.includes(token.audience) === false) return { refused: verdict("denied", authentication) };
      return { verified: token };
    }
  }
  return { refused: verdict("unauthenticated", first) };
}

interface Rule {
  readonly from?: readonly { readonly source: Source }[];
  readonly to?: readonly { readonly operation: Operation }[];
  readonly when?: readonly { readonly key: string; readonly values: readonly string[] }[];
}

interface Source {
  readonly principals?: readonly string[];
  readonly requestPrincipals?: readonly string[];
}

interface Operation {
  readonly methods?: readonly string[];
  readonly paths?: readonly string[];
  readonly ports?: readonly string[];
}

function read(policy: Located<unknown>): { readonly action: string; readonly rules: readonly Rule[] } {
  const { action = "ALLOW", rules = [] } = policy.spec as { action?: string; rules?: readonly Rule[] };
  only(policy.spec, ["selector", "action", "rules"], policy);
  if (action !== "ALLOW" && action !== "DENY")
    throw new Error(`${title(policy)}: action ${action} cannot be judged here.`);
  for (const rule of rules) {
    only(rule, ["from", "to", "when"], policy);
    for (const { source } of rule.from ?? []) only(source, ["principals", "requestPrincipals"], policy);
    for (const { operation } of rule.to ?? []) only(operation, ["methods", "paths", "ports"], policy);
    for (const condition of rule.when ?? []) only(condition, ["key", "values"], policy);
  }
  return { action, rules };
}

function only(value: unknown, known: readonly string[], located: Located<unknown>): void {
  const unknown = Object.keys(value as object).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new Error(`${title(located)}: field ${unknown} cannot be judged here.`);
}

function title({ file, kind, name }: Located<unknown>): string {
  return `${file}: ${kind} ${name}`;
}

/** The number of the first rule that matches, from 1. */
function firstMatch(rules: readonly Rule[], request: MeshRequest, token: Token | undefined): number | undefined {
  const index = rules.findIndex((rule) => matches(rule, request, token));
  return index < 0 ? undefined : index + 1;
}

function matches({ from, to, when = [] }: Rule, request: MeshRequest, token: Token | undefined): boolean {
  const requestPrincipal = token && `${token.issuer}/${token.subject}`;
  const fromFits =
    from?.some(
      ({ source }) => fits(source.principals, request.principal) && fits(source.requestPrincipals, requestPrincipal),
    ) ?? true;
  const toFits =
    to?.some(
      ({ operation }) =>
        fits(operation.methods, request.method) &&
        fits(operation.paths, request.path) &&
        fits(operation.ports, String(request.port)),
    ) ?? true;
  return fromFits && toFits && when.every(({ key, values }) => fits(values, attributeOf(key, token)));
}

function attributeOf(key: string, token: Token | undefined): string | undefined {
  const [, claim] = /^request\.auth\.claims\[(\w+)\]$/.exec(key) ?? [];
  if (claim === undefined) throw new Error(`The condition ${key} cannot be judged here.`);
  return token?.claims[claim];
}

/** Istio's matching of texts: exact, `*` (anything that is there), `prefix*`, `*suffix`. No list: no demand. */
function fits(patterns: readonly string[] | undefined, value: string | undefined): boolean {
  if (patterns === undefined) return true;
  if (value === undefined || value === "") return false;
  return patterns.some((pattern) => {
    if (pattern === "*") return true;
    if (pattern.endsWith("*")) return value.startsWith(pattern.slice(0, -1));
    if (pattern.startsWith("*")) return value.endsWith(pattern.slice(1));
    return pattern === value;
  });
}
