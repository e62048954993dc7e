// The order of what a call receives: its messages, then how it ended. grpc-js 1.14 keeps to it where a call succeeds, but
// hands a failure over at once and drops the messages before it that the reader has not taken yet: a stream that ends with
// RESUME would lose its last ones. Loading this module mends it for all channels of the process.

import { createRequire } from "node:module";

/** What grpc-js has inside for each call of a client; a test notices when that changes. */
interface Inside {
  readonly http2Stream: { once(event: "close", listener: () => void): void; resume(): void };
  readonly finalStatus: { readonly code: number } | null;
  readonly unpushedReadMessages: Buffer[];
  readonly isReadFilterPending: boolean;
  readonly isPushPending: boolean;
  readsClosed: boolean;
  canPush: boolean;
  handleTrailers(headers: Record<string, unknown>): void;
  maybeOutputStatus(): void;
  outputStatus(): void;
  startRead(): void;
  push(message: Buffer): void;
  cancelWithStatus(status: number, details: string): void;
}

const { Http2SubchannelCall } = createRequire(import.meta.url)("@grpc/grpc-js/build/src/subchannel-call.js") as {
  Http2SubchannelCall: { prototype: Inside };
};
const { prototype } = Http2SubchannelCall;
const { handleTrailers, maybeOutputStatus, startRead, cancelWithStatus } = prototype;

/** Calls whose failure has come, perhaps before their messages were read. */
const failed = new WeakSet<Inside>();

prototype.handleTrailers = function (headers) {
  // Where the trailers are all that came, nothing is to be read, and perhaps nobody reads.
  if (this.finalStatus === null && !this.readsClosed && String(headers["grpc-status"]) !== "0") {
    failed.add(this);
    // A stream that is cut off has no end of its own.
    this.http2Stream.once("close", () => {
      this.readsClosed = true;
      this.maybeOutputStatus();
    });
  }
  handleTrailers.call(this, headers);
};

prototype.maybeOutputStatus = function () {
  const pending = this.unpushedReadMessages.length > 0 || this.isReadFilterPending || this.isPushPending;
  if (failed.has(this) && (pending || !this.readsClosed)) return;
  maybeOutputStatus.call(this);
};

prototype.startRead = function () {
  if (!failed.has(this)) return startRead.call(this);
  this.canPush = true;
  const next = this.unpushedReadMessages.shift();
  if (next !== undefined) this.push(next);
  else if (this.readsClosed) this.maybeOutputStatus();
  else this.http2Stream.resume();
};

prototype.cancelWithStatus = function (status, details) {
  // Whoever gives up, or whose deadline passes, does not wait for a reader.
  if (failed.delete(this) && this.finalStatus !== null) this.outputStatus();
  cancelWithStatus.call(this, status, details);
};
