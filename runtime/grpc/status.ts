// Errors and metadata between Connect's types, which handlers and clients know, and grpc-js's, which only this folder
// knows. Details travel as google.rpc.Status in `grpc-status-details-bin`.

import { Code, ConnectError } from "@connectrpc/connect";
import { findTrailerError, setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { Metadata, type StatusObject, type status } from "@grpc/grpc-js";

const reserved = /^(grpc-(?!status-details-bin|trace-bin)|:|content-type$|te$|user-agent$)/;

/** HTTP headers → gRPC metadata; binary ones are base64 on the HTTP side. */
export function toMetadata(headers: Headers): Metadata {
  return filled(new WireMetadata(), headers);
}

/** The trailers of a call that succeeded. */
export function toTrailer(headers: Headers): Metadata {
  return filled(new WireMetadata(true), headers);
}

/**
 * Metadata as gRPC wants it on the wire, where grpc-js 1.14 does otherwise: binary values without padding (it pads), and no
 * message beside the status OK (it says "OK").
 */
class WireMetadata extends Metadata {
  readonly #succeeded: boolean;

  constructor(succeeded = false) {
    super();
    this.#succeeded = succeeded;
  }

  override clone(): WireMetadata {
    const same = new WireMetadata(this.#succeeded);
    same.setOptions(this.getOptions());
    for (const key of Object.keys(this.getMap())) for (const value of this.get(key)) same.add(key, value);
    return same;
  }

  override toHttp2Headers() {
    const headers = super.toHttp2Headers();
    for (const [key, value] of Object.entries(headers)) if (key.endsWith("-bin")) headers[key] = unpadded(value);
    // Laid over what grpc-js says itself; node sends nothing for it.
    if (this.#succeeded) headers["grpc-message"] = undefined;
    return headers;
  }
}

function unpadded(value: string | string[] | number | undefined) {
  if (Array.isArray(value)) return value.map((each) => each.replace(/=+$/, ""));
  return typeof value === "string" ? value.replace(/=+$/, "") : value;
}

function filled(metadata: Metadata, headers: Headers): Metadata {
  headers.forEach((value, key) => {
    if (reserved.test(key)) return;
    metadata.add(key, key.endsWith("-bin") ? Buffer.from(value, "base64") : value);
  });
  return metadata;
}

/** gRPC metadata → HTTP headers. */
export function toHeaders(metadata: Metadata): Headers {
  const headers = new Headers();
  for (const key of Object.keys(metadata.getMap())) {
    for (const value of metadata.get(key)) {
      headers.append(key, typeof value === "string" ? value : value.toString("base64").replace(/=+$/, ""));
    }
  }
  return headers;
}

/** What a server answers for an error, its own trailers included. */
export function toStatus(error: ConnectError, trailer: Headers): StatusObject {
  const headers = setTrailerStatus(new Headers(trailer), error);
  return { code: error.code as number as status, details: error.rawMessage, metadata: toMetadata(headers) };
}

/** What a client knows of a call that failed, beside the status. */
export interface FailedCall {
  /** Headers that came before the status; they are told with the trailers. */
  readonly header?: Headers;
  /** When the caller stopped waiting, in milliseconds since 1970. */
  readonly deadline?: number | undefined;
}

/** What a client makes of a status that is not OK. */
export function fromStatus(answered: StatusObject, { header, deadline }: FailedCall = {}): ConnectError {
  // A server that sees the deadline pass before we do resets the call, and a reset says CANCELLED.
  const late = (answered.code as number) === Code.Canceled && deadline !== undefined && Date.now() >= deadline;
  const received = late
    ? { ...answered, code: Code.DeadlineExceeded as number, details: "The deadline has passed." }
    : answered;
  const headers = toHeaders(received.metadata ?? new Metadata());
  headers.set("grpc-status", String(received.code));
  headers.set("grpc-message", encodeURIComponent(received.details ?? ""));
  const error = findTrailerError(headers) ?? new ConnectError(received.details, received.code as number);
  header?.forEach((value, key) => {
    if (key !== "date" && !reserved.test(key)) error.metadata.append(key, value);
  });
  return error;
}
