// Who stands behind the call: verifies the token that the edge sent along, and that the RPC is for such a subject.

import type { Interceptor } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import {
  Permission,
  PermissionSchema,
  type Policy,
  Principal,
} from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { enumName } from "@docket/contracts/policy";
import { callKey, headerNames, type Subject } from "../call.ts";
import { AppError } from "../errors.ts";
import type { ChainOptions, OpenCall } from "./options.ts";
import { aborted, endingWith } from "./streams.ts";

export function session({ verifyToken, liveStreams }: ChainOptions): Interceptor {
  return (next) => async (request) => {
    const call = request.contextValues.get(callKey) as OpenCall;
    call.subject = await subjectOf(call.policy, bearer(request.header.get(headerNames.authorization)), verifyToken);
    if (!request.stream) return await next(request);
    // A stream lives no longer than the token it was opened with, the session or key behind it, and this server.
    const live = liveStreams.open(call.subject);
    const signal = AbortSignal.any([call.signal, live.signal]);
    call.signal = signal;
    // A call that is given up before its answer is read is never iterated, so its end is heard here.
    signal.addEventListener("abort", live.close, { once: true });
    if (signal.aborted) live.close();
    try {
      const response = await Promise.race([next({ ...request, signal }), aborted(live.signal)]);
      return response.stream ? { ...response, message: endingWith(response.message, signal, live.close) } : response;
    } catch (error) {
      live.close();
      throw live.signal.aborted ? live.signal.reason : error;
    }
  };
}

/** For RPCs without a policy (health, reflection): nobody need be signed in, and who shows a token shows a sound one. */
export function soundToken({ verifyToken }: ChainOptions): Interceptor {
  return (next) => async (request) => {
    await refuseUnsound(bearer(request.header.get(headerNames.authorization)), verifyToken);
    return await next(request);
  };
}

/** A token that is not sound is refused wherever it is shown: the mesh's sidecars do so, whatever the RPC. */
async function refuseUnsound(token: string | undefined, verifyToken: ChainOptions["verifyToken"]): Promise<void> {
  if (token !== undefined) await verifyToken(token);
}

async function subjectOf(
  policy: Policy,
  token: string | undefined,
  verifyToken: ChainOptions["verifyToken"],
): Promise<Subject | undefined> {
  const { access } = policy;
  // What a workload does by itself is done for nobody, even where it hands on the token of the call that it serves.
  if (access.case === "system") {
    await refuseUnsound(token, verifyToken);
    return undefined;
  }
  // A signed-in client may call an anonymous RPC too; then it is known who.
  if (access.case === "anonymous") return token === undefined ? undefined : await verifyToken(token);
  if (token === undefined) throw new AppError(Reason.SESSION_REQUIRED, { refusedBy: "session" });
  const subject = await verifyToken(token);
  refuseWrongPrincipal(subject, policy);
  return subject;
}

function refuseWrongPrincipal(subject: Subject, policy: Policy): void {
  const person = subject.kind === "person";
  const wrong = person ? policy.principals === Principal.KEY : policy.principals === Principal.PERSON;
  if (wrong) throw new AppError(Reason.PRINCIPAL_DENIED, { refusedBy: "session" });
  const { access } = policy;
  if (person || (access.case !== "filtered" && access.case !== "authenticated")) return;
  // Without a scope that names it, such an RPC is not for keys at all.
  const scope = access.value.keyScope;
  if (scope === Permission.UNSPECIFIED) throw new AppError(Reason.PRINCIPAL_DENIED, { refusedBy: "session" });
  refuseMissingScope(subject, scope);
}

/** An API key must carry the scope of each permission it uses. */
export function refuseMissingScope(subject: Subject, scope: Permission): void {
  if (subject.kind === "person" || subject.scopes?.includes(scope)) return;
  throw new AppError(Reason.KEY_SCOPE_MISSING, {
    metadata: { scope: enumName(PermissionSchema, scope) },
    refusedBy: "session",
  });
}

function bearer(header: string | null): string | undefined {
  return header?.match(/^Bearer ([A-Za-z0-9._~+/=-]+)$/i)?.[1];
}
