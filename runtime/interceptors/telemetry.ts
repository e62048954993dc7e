// Opens the call, and says how it ended: one log line and one record each. Never a message, a title or a token.

import { randomUUID } from "node:crypto";
import { type Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { Reason, ReasonSchema } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { type Policy, Workload, WorkloadSchema } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { enumName, foreignService, policyOf, reasonOptions } from "@docket/contracts/policy";
import { callKey, headerNames } from "../call.ts";
import { AppError, reasonOf } from "../errors.ts";
import type { CallRecord, ChainOptions, OpenCall } from "./options.ts";
import { finishing } from "./streams.ts";

/** Ids that we take from a caller; anything else gets a new one, so that logs stay clean. */
const wellFormed = /^[A-Za-z0-9._-]{8,64}$/;

export function telemetry({ logger, observe }: ChainOptions): Interceptor {
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
    };
    request.contextValues.set(callKey, call);
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
      report(call, record, error);
      observe?.(record);
    };
    try {
      const response = await next(request);
      if (response.stream) return { ...response, message: finishing(response.message, finish) };
      finish();
      return response;
    } catch (error) {
      finish(error);
      throw error;
    }
  };
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
