// The service that gRPC's interoperability client calls, as handlers like those of Docket's services.

import { setTimeout as pause } from "node:timers/promises";
import type { Code, HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { Asked } from "./asked.ts";
import type { EchoStatus, TestService } from "./gen/grpc/testing/test_pb.ts";

export const interopHandlers: ServiceImpl<typeof TestService> = {
  emptyCall: () => ({}),
  unaryCall({ responseStatus, responseSize }, context) {
    echoMetadata(context);
    refuse(responseStatus);
    return { payload: { body: new Uint8Array(responseSize) } };
  },
  async *streamingOutputCall({ responseParameters }, { signal }) {
    for (const { size, intervalUs } of responseParameters) {
      await pause(intervalUs / 1000, undefined, { signal });
      yield { payload: { body: new Uint8Array(size) } };
    }
  },
  async streamingInputCall(messages) {
    let aggregatedPayloadSize = 0;
    for await (const { payload } of messages) aggregatedPayloadSize += payload?.body.length ?? 0;
    return { aggregatedPayloadSize };
  },
  async *fullDuplexCall(messages, context) {
    echoMetadata(context);
    for await (const { responseStatus, responseParameters } of messages) {
      refuse(responseStatus);
      for (const { size, intervalUs } of responseParameters) {
        await pause(intervalUs / 1000, undefined, { signal: context.signal });
        yield { payload: { body: new Uint8Array(size) } };
      }
    }
  },
};

/** Sends back the metadata that the cases know, as header and as trailer. */
function echoMetadata({ requestHeader, responseHeader, responseTrailer }: HandlerContext): void {
  const initial = requestHeader.get("x-grpc-test-echo-initial");
  if (initial !== null) responseHeader.set("x-grpc-test-echo-initial", initial);
  const trailing = requestHeader.get("x-grpc-test-echo-trailing-bin");
  if (trailing !== null) responseTrailer.set("x-grpc-test-echo-trailing-bin", trailing);
}

function refuse(status: EchoStatus | undefined): void {
  if (status !== undefined && status.code !== 0) throw new Asked(status.message, status.code as Code);
}
