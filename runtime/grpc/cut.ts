// A message that the end of its stream cuts off. grpc-js 1.14 drops it and takes the stream as complete, at both ends: half
// an upload would count as a whole one. Loading this module makes it a failure of the call, in all of the process.

import { createRequire } from "node:module";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { StatusObject } from "@grpc/grpc-js";
import { AppError, toConnectError } from "../errors.ts";
import { toStatus } from "./status.ts";

/** What grpc-js has inside for each call, in part; a test notices when that changes. */
interface Inside {
  /** Not 0 within a message. */
  readonly decoder: { readonly readState: number };
}

interface InsideServer extends Inside {
  handleEndEvent(): void;
  sendStatus(status: StatusObject): void;
}

interface InsideClient extends Inside {
  readonly readsClosed: boolean;
  finalStatus: { code: number; details: string } | null;
  maybeOutputStatus(): void;
}

const message = "The stream ended within a message.";
const require = createRequire(import.meta.url);

const { BaseServerInterceptingCall } = require("@grpc/grpc-js/build/src/server-interceptors.js") as {
  BaseServerInterceptingCall: { prototype: InsideServer };
};
const { handleEndEvent } = BaseServerInterceptingCall.prototype;
BaseServerInterceptingCall.prototype.handleEndEvent = function () {
  if (this.decoder.readState === 0) return handleEndEvent.call(this);
  this.sendStatus(toStatus(toConnectError(new AppError(Reason.MALFORMED, { message }), ""), new Headers()));
};

const { Http2SubchannelCall } = require("@grpc/grpc-js/build/src/subchannel-call.js") as {
  Http2SubchannelCall: { prototype: InsideClient };
};
const { maybeOutputStatus } = Http2SubchannelCall.prototype;
Http2SubchannelCall.prototype.maybeOutputStatus = function () {
  // What a server calls a success is none then; a failure of its own says more.
  if (this.readsClosed && this.finalStatus?.code === 0 && this.decoder.readState !== 0)
    this.finalStatus = { ...this.finalStatus, code: 13, details: message };
  maybeOutputStatus.call(this);
};
