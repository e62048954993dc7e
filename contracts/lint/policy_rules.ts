// What a policy may say: callers, access, time, retries, edge, cache. Scopes, reasons and requests have files of their own.

import type { DescMethod } from "@bufbuild/protobuf";
import {
  CacheScope,
  CacheScopeSchema,
  Permission,
  PermissionSchema,
  type Policy,
  Principal,
  PrincipalSchema,
  RateClassSchema,
  Workload,
  WorkloadSchema,
} from "../gen/docket/policy/v1/policy_pb.ts";
import { isIdempotent, isKeyScope, isSideEffectFree, millisecondsOf, policyOf, rpcNameOf } from "../policy.ts";
import type { RefuseRpc } from "./refusal.ts";

/** The RPCs that change something although nobody is signed in. Everything else that is anonymous only reads. */
export const anonymousWrites: ReadonlySet<string> = new Set([
  "docket.user.v1.SessionService/SignUp",
  "docket.user.v1.SessionService/ConfirmSignUp",
  "docket.user.v1.SessionService/SignIn",
  "docket.user.v1.SessionService/RequestPasswordReset",
  "docket.user.v1.SessionService/ResetPassword",
]);

/** The RPCs that a platform engineer's access pod may call, beside health and reflection. */
export const operatorRpcs: ReadonlySet<string> = new Set<string>([]);

/** The services whose RPCs no API key may call: accounts, sessions and keys. */
export const personOnlyServices: ReadonlySet<string> = new Set([
  "docket.user.v1.SessionService",
  "docket.user.v1.UserService",
  "docket.user.v1.ApiKeyService",
]);

const limits = {
  deadlineMs: { least: 50, most: 120_000 },
  idleMs: { least: 1_000, most: 3_600_000 },
  maxAgeMs: { least: 10_000, most: 24 * 3_600_000 },
  cacheMs: { least: 1_000, most: 24 * 3_600_000 },
  attempts: { least: 1, most: 5 },
  /** The largest message that grpc takes. */
  requestBytes: 4 * 1024 * 1024,
};

/** Refuses a policy that says too little, too much, or two things that cannot both be true. */
export function lintPolicy(method: DescMethod, refuse: RefuseRpc): void {
  const policy = policyOf(method);
  lintCallers(method, policy, refuse);
  lintAccess(method, policy, refuse);
  lintPrincipals(method, policy, refuse);
  lintTime(method, policy, refuse);
  lintRetry(method, policy, refuse);
  lintCache(method, policy, refuse);
  if (!RateClassSchema.value[policy.rate]) refuse(`names the unknown rate class ${policy.rate}.`);
  if (policy.maxRequestBytes > limits.requestBytes) {
    refuse(`has max_request_bytes ${policy.maxRequestBytes}; at most ${limits.requestBytes} pass, so stream them.`);
  }
}

function lintCallers(method: DescMethod, { callers, edge }: Policy, refuse: RefuseRpc): void {
  if (callers.length === 0) refuse("has no callers; name the workloads that may call it.");
  if (new Set(callers).size !== callers.length) refuse("names a caller twice.");
  for (const caller of callers) {
    if (caller === Workload.UNSPECIFIED) refuse("names WORKLOAD_UNSPECIFIED as a caller; name a workload.");
    else if (!WorkloadSchema.value[caller]) refuse(`names the unknown workload ${caller} as a caller.`);
  }
  if (callers.includes(Workload.OPERATOR) && !operatorRpcs.has(rpcNameOf(method))) {
    refuse("names WORKLOAD_OPERATOR as a caller and is not in the list operatorRpcs (contracts/lint/policy_rules.ts).");
  }
  if (edge && !callers.includes(Workload.GATEWAY))
    refuse("is published by the edge and lacks WORKLOAD_GATEWAY as a caller.");
}

function lintAccess(method: DescMethod, { access, edge }: Policy, refuse: RefuseRpc): void {
  switch (access.case) {
    case undefined:
      refuse("says no access; choose permission, filtered, authenticated, anonymous or system.");
      break;
    case "permission":
      if (access.value === Permission.UNSPECIFIED) refuse("names PERMISSION_UNSPECIFIED; name a permission.");
      else if (!PermissionSchema.value[access.value]) refuse(`names the unknown permission ${access.value}.`);
      break;
    case "anonymous":
      if (!isSideEffectFree(method) && !anonymousWrites.has(rpcNameOf(method))) {
        refuse(
          "is anonymous, has side effects and is not in the list anonymousWrites (contracts/lint/policy_rules.ts); " +
            "say idempotency_level = NO_SIDE_EFFECTS if it only reads.",
        );
      }
      break;
    case "system":
      if (edge) refuse("is for workloads by themselves (system) and published by the edge; it cannot be both.");
      break;
    case "filtered":
    case "authenticated": {
      const { keyScope } = access.value;
      if (keyScope !== Permission.UNSPECIFIED && !isKeyScope(keyScope)) {
        refuse(
          `has key_scope ${PermissionSchema.value[keyScope]?.name ?? keyScope}, which is not marked as a key scope.`,
        );
      }
      break;
    }
  }
}

function lintPrincipals(method: DescMethod, { access, principals, edge }: Policy, refuse: RefuseRpc): void {
  if (!PrincipalSchema.value[principals]) refuse(`names the unknown principal ${principals}.`);
  if (access.case === undefined) return;
  if (access.case === "system" || access.case === "anonymous") {
    if (principals !== Principal.UNSPECIFIED)
      refuse(`is ${access.case} and names principals; nobody stands behind such a call.`);
    return;
  }
  const person = principals === Principal.PERSON;
  if (edge && !person && personOnlyServices.has(method.parent.typeName)) {
    refuse("is about accounts, sessions or keys, which no API key may touch; say principals: PRINCIPAL_PERSON.");
  }
  if (access.case === "permission") {
    if (!person && !isKeyScope(access.value)) {
      refuse("needs a permission that no API key can carry; say principals: PRINCIPAL_PERSON.");
    }
    return;
  }
  const keyScoped = access.value.keyScope !== Permission.UNSPECIFIED;
  if (person && keyScoped) refuse("is for persons only and names a key_scope; drop one of them.");
  if (principals === Principal.KEY && !keyScoped) refuse("is for API keys only and names no key_scope.");
}

function lintTime(method: DescMethod, { time }: Policy, refuse: RefuseRpc): void {
  const unary = method.methodKind === "unary";
  if (time.case === undefined) {
    refuse(unary ? "has no deadline." : "has no time limits; say stream: { idle, max_age }.");
  } else if (time.case === "deadline") {
    if (!unary) refuse("is a stream and has a deadline; say stream: { idle, max_age } instead.");
    else lintDuration("deadline", millisecondsOf(time.value), limits.deadlineMs, refuse);
  } else if (unary) {
    refuse("is unary and has the time limits of a stream; say deadline instead.");
  } else {
    const idleMs = millisecondsOf(time.value.idle);
    const maxAgeMs = millisecondsOf(time.value.maxAge);
    lintDuration("stream.idle", idleMs, limits.idleMs, refuse);
    lintDuration("stream.max_age", maxAgeMs, limits.maxAgeMs, refuse);
    if (maxAgeMs > 0 && maxAgeMs < idleMs) refuse("has a stream.max_age shorter than its stream.idle.");
  }
}

function lintDuration(
  name: string,
  ms: number,
  { least, most }: { least: number; most: number },
  refuse: RefuseRpc,
): void {
  if (ms < least || ms > most)
    refuse(`has ${name} ${ms / 1000} s; it must be between ${least / 1000} s and ${most / 1000} s.`);
}

function lintRetry(method: DescMethod, { retry }: Policy, refuse: RefuseRpc): void {
  if (!retry) return;
  const { least, most } = limits.attempts;
  if (method.methodKind !== "unary") refuse("is a stream and says retry; a stream is resumed by its client.");
  else if (!isIdempotent(method)) refuse("says retry without an idempotency level; a second try could act twice.");
  if (retry.attempts < least || retry.attempts > most) {
    refuse(`says ${retry.attempts} attempts of retry; it must be between ${least} and ${most}.`);
  }
}

function lintCache(method: DescMethod, { cache, access }: Policy, refuse: RefuseRpc): void {
  if (!cache) return;
  if (!isSideEffectFree(method))
    refuse("says cache and may have side effects; only what changes nothing may be cached.");
  if (cache.scope === CacheScope.UNSPECIFIED || !CacheScopeSchema.value[cache.scope]) {
    refuse("says cache without a scope; choose private or public.");
  }
  if (cache.scope === CacheScope.PUBLIC && access.case !== "anonymous") {
    refuse("puts an authorised answer into shared caches; only anonymous RPCs may say CACHE_SCOPE_PUBLIC.");
  }
  lintDuration("cache.max_age", millisecondsOf(cache.maxAge), limits.cacheMs, refuse);
}
