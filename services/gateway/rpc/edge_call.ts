// What an RPC's handler at the edge knows of its request.

import { type ContextKey, createContextKey, type HandlerContext } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { headerNames } from "@docket/runtime/call";
import { AppError } from "@docket/runtime/errors";
import type { Admission } from "../guard/gate.ts";
import { type Exchange, headerOf } from "../http/exchange.ts";

export interface EdgeCall {
  readonly exchange: Exchange;
  /** Set by the gate, before the handler runs. */
  admission: Admission | undefined;
}

export const edgeKey: ContextKey<EdgeCall | undefined> = createContextKey<EdgeCall | undefined>(undefined, {
  description: "docket.edge",
});

export function edgeCallOf(context: Pick<HandlerContext, "values">): EdgeCall {
  const call = context.values.get(edgeKey);
  if (call === undefined) throw new AppError(Reason.INTERNAL, { message: "The call did not come through the edge." });
  return call;
}

const traceparent = /^([0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16})-[0-9a-f]{2}$/;

/** The headers that go on into the mesh: these, and nothing else that the client sent. */
export function meshHeaders(exchange: Exchange, admission: Admission): Headers {
  const headers = new Headers({
    [headerNames.requestId]: exchange.requestId,
    [headerNames.clientAddress]: exchange.clientAddress,
  });
  if (admission.subject !== undefined) headers.set(headerNames.authorization, `Bearer ${admission.subject.token}`);
  // Ids alone: whether it is recorded, the edge's own span says, and where it makes none nobody does because a client asks.
  const ids = traceparent.exec(headerOf(exchange.request.headers, headerNames.trace) ?? "")?.[1];
  if (ids !== undefined) headers.set(headerNames.trace, `${ids}-00`);
  // Whoever wants to meet versions on trial may: they are behind the same rules.
  if (headerOf(exchange.request.headers, headerNames.preview) === "1") headers.set(headerNames.preview, "1");
  return headers;
}
