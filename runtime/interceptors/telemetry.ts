// Opens the call, and says how it ended: one log line, one span, one count and one record each. Never a message, a title
// or a token.

import { randomUUID } from "node:crypto";
import { type Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { Reason, ReasonSchema } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { type Policy, Workload, WorkloadSchema } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { enumName, foreignService, policyOf, reasonOptions } from "@docket/contracts/policy";
import { callKey, headerNames } from "../call.ts";
import { AppError, reasonOf } from "../errors.ts";
import { isServerFault, statusName } from "../telemetry/call_metrics.ts";
import { iterateWithin, type LiveSpan, within } from "../telemetry/span.ts";
import { parseTraceparent } from "../telemetry/traceparent.ts";
import type { CallRecord, ChainOptions, OpenCall } from "./options.ts";
import { finishing, observing } from "./streams.ts";

/** Ids that we take from a caller; anything else gets a new one, so that logs stay clean. */
const wellFormed = /^[A-Za-z0-9._-]{8,64}$/;

export function telemetry({ logger, observe, telemetry: told, calls }: ChainOptions): Interceptor {
  return (next) => async (request) => {
    const started = performance.now();
    const sent = request.header.get(headerNames.requestId) ?? "";
    const requestId = wellFormed.test(sent) ? sent : randomUUID();
    const rpc = `${request.service.typeName}/${request.method.name}`;
    const call: OpenCall = {
      requestId,
      caller: Workload.UNSPECIFIED,
      subject: undefined,
      method: request.method,
      policy: policyOrEmpty(request.method),
      deadline: undefined,
      signal: request.signal,
      logger: logger.child({ request_id: requestId, rpc }),
      clientAddress: request.header.get(headerNames.clientAddress) ?? "",
      trace: request.header.get(headerNames.trace) ?? undefined,
      preview: request.header.get(headerNames.preview) ?? undefined,
    };
    request.contextValues.set(callKey, call);
    const span = told?.tracing?.start(rpc, "server", {
      parent: parseTraceparent(call.trace),
      attributes: { "rpc.system.name": "grpc", "rpc.method": rpc, "docket.request_id": requestId },
    });
    const closed = request.stream ? calls?.opened(rpc) : undefined;
    // Also where the answer is given up before anybody reads it.
    if (closed !== undefined) request.signal.addEventListener("abort", closed, { once: true });
    const finish = (error?: unknown) => {
      const record: CallRecord = {
        rpc,
        caller: call.caller,
        requestId,
        code: error === undefined ? undefined : codeOf(error),
        reason: error === undefined ? undefined : reasonOf(error),
        refusedBy: error instanceof ConnectError && error.cause instanceof AppError ? error.cause.refusedBy : undefined,
        durationMs: Math.round((performance.now() - started) * 1000) / 1000,
      };
      closed?.();
      calls?.ended(rpc, record.caller, record.reason, { ...record, seconds: record.durationMs / 1000, span });
      within(span, () => report(call, record, error));
      if (span !== undefined) conclude(span, record);
      observe?.(record);
    };
    try {
      const response = await within(span, () => next(watched(request, span)));
      if (response.stream) {
        const answers = iterateWithin(
          span,
          span?.sampled ? counting(span, "sent", response.message) : response.message,
        );
        return { ...response, message: finishing(answers, finish) };
      }
      finish();
      return response;
    } catch (error) {
      finish(error);
      throw error;
    }
  };
}

/** Says of a stream when messages came in. */
function watched<Request extends { readonly stream: boolean; readonly message: unknown }>(
  request: Request,
  span: LiveSpan | undefined,
): Request {
  if (!request.stream || span?.sampled !== true) return request;
  return { ...request, message: counting(span, "received", request.message as AsyncIterable<unknown>) };
}

/** The first messages are events of the span; all are counted. */
function counting<T>(span: LiveSpan, what: "sent" | "received", source: AsyncIterable<T>): AsyncIterable<T> {
  let count = 0;
  return finishing(
    observing(source, () => {
      count += 1;
      if (count <= messagesTold) span.event(`message ${what}`, { "rpc.message.id": count });
    }),
    () => span.set({ [`docket.messages.${what}`]: count }),
  );
}

/** How many messages of a stream are told of, each way: it may live for an hour. */
const messagesTold = 16;

function conclude(span: LiveSpan, { code, reason, refusedBy, caller }: CallRecord): void {
  span.set({
    "rpc.response.status_code": statusName(code),
    "docket.caller": enumName(WorkloadSchema, caller).toLowerCase(),
    "docket.reason": reason === undefined ? undefined : enumName(ReasonSchema, reason),
    "docket.refused_by": refusedBy,
  });
  if (isServerFault(code)) span.fail(statusName(code));
  span.end();
}

function report(call: OpenCall, record: CallRecord, error: unknown): void {
  const { reason } = record;
  const line = {
    caller: enumName(WorkloadSchema, call.caller),
    subject: call.subject?.id,
    reason: reason === undefined ? undefined : enumName(ReasonSchema, reason),
    refused_by: record.refusedBy,
    duration_ms: record.durationMs,
  };
  if (reason === Reason.INTERNAL) {
    const cause =
      error instanceof ConnectError && error.cause instanceof Error ? (error.cause.cause ?? error.cause) : error;
    call.logger.error({ ...line, err: cause }, "call failed");
    return;
  }
  // The contract lists what a handler may fail with; anything else is a defect of ours, though the caller still gets it.
  if (reason !== undefined && !reasonOptions(reason).chain && !call.policy.reasons.includes(reason)) {
    call.logger.error(line, "call failed with a reason that its policy does not promise");
    return;
  }
  call.logger.debug(line, "call ended");
}

function codeOf(error: unknown): Code {
  return ConnectError.from(error).code;
}

/** Foreign services carry no policy; they have a chain of their own, which does not read it. */
function policyOrEmpty(method: Parameters<typeof policyOf>[0]): Policy {
  return foreignService(method.parent.typeName) ? ({ reasons: [] } as unknown as Policy) : policyOf(method);
}
