// What is known of the call that is being served. The chain fills it link by link; handlers read it through
// callOf and subjectOf, and pass on what must travel with forward.

import type { DescMethod } from "@bufbuild/protobuf";
import {
  type CallOptions,
  type ContextKey,
  type ContextValues,
  createContextKey,
  type HandlerContext,
} from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Permission, Policy, Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { AppError } from "./errors.ts";
import type { Logger } from "./logger.ts";

/** A person with a session, or a client application with a key: who stands behind a call. */
export interface Subject {
  readonly kind: "person" | "application";
  /** The user's id, or the client application's. */
  readonly id: string;
  /** The session, for persons. */
  readonly sessionId?: string;
  /** The API key, for applications. */
  readonly keyId?: string;
  /** The one workspace that a key is bound to. */
  readonly workspaceId?: string;
  /** What a key may be used for; its effective rights are its application's role, limited to these. */
  readonly scopes?: readonly Permission[];
  /** The signed token that says all this, to be sent on at every hop. */
  readonly token: string;
  /** When the token ends, in milliseconds since 1970. */
  readonly expiresAt: number;
}

/** The call that is being served. */
export interface Call {
  /** The id that the edge gave the request; the same at every hop. */
  readonly requestId: string;
  /** The workload whose certificate the peer showed. */
  readonly caller: Workload;
  /** Who stands behind it; absent on anonymous and system calls. */
  readonly subject: Subject | undefined;
  readonly method: DescMethod;
  readonly policy: Policy;
  /** When the answer must be there, in milliseconds since 1970; absent on streams without one. */
  readonly deadline: number | undefined;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** The address of the client at the edge, as the gateway saw it; empty when the call began in the mesh. */
  readonly clientAddress: string;
  /** The trace that the caller named, passed on where this process traces nothing itself. */
  readonly trace?: string | undefined;
  /** That versions on trial shall answer, and all behind them: the mesh routes by it (argocd/workloads/strategies). */
  readonly preview?: string | undefined;
}

/** The names of the headers that travel from hop to hop. */
export const headerNames = {
  requestId: "x-request-id",
  authorization: "authorization",
  clientAddress: "x-docket-client",
  trace: "traceparent",
  preview: "x-docket-preview",
} as const;

/** Where the chain keeps the call. Only interceptors write it. */
export const callKey: ContextKey<Call | undefined> = createContextKey<Call | undefined>(undefined, {
  description: "docket.call",
});

/** The call of a handler's context. */
export function callOf(context: { readonly values: ContextValues }): Call {
  const call = context.values.get(callKey);
  if (call === undefined) throw new AppError(Reason.INTERNAL, { message: "The interceptor chain did not run." });
  return call;
}

/** Who stands behind a handler's call. Throws SESSION_REQUIRED when nobody does. */
export function subjectOf(context: { readonly values: ContextValues }): Subject {
  const { subject } = callOf(context);
  if (subject === undefined) throw new AppError(Reason.SESSION_REQUIRED);
  return subject;
}

/** How long a server keeps for itself to answer, out of what its caller gave it, in milliseconds. */
const shavedMs = 20;

/**
 * The options of a call made on behalf of the present one: token, request id, client address, cancellation, and what
 * is left of the deadline less a little, so that this server can still say what timed out.
 */
export function forward(context: HandlerContext): CallOptions {
  return forwardCall(callOf(context));
}

/** Like {@link forward}, where the call itself is at hand. */
export function forwardCall(call: Call): CallOptions {
  const headers = new Headers({ [headerNames.requestId]: call.requestId });
  if (call.subject !== undefined) headers.set(headerNames.authorization, `Bearer ${call.subject.token}`);
  if (call.clientAddress !== "") headers.set(headerNames.clientAddress, call.clientAddress);
  if (call.trace !== undefined) headers.set(headerNames.trace, call.trace);
  if (call.preview !== undefined) headers.set(headerNames.preview, call.preview);
  const options: CallOptions = { signal: call.signal, headers };
  if (call.deadline !== undefined) options.timeoutMs = Math.max(1, call.deadline - Date.now() - shavedMs);
  return options;
}
