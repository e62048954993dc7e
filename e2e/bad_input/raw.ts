// Requests as no well-behaved client sends them: bytes, headers and paths as they are given, over HTTP/1.1, HTTP/2 or a bare
// socket, and the answer with what the server says of the fault.

import { request as httpRequest } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectSocket } from "node:net";
import { fromBinary } from "@bufbuild/protobuf";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { Reason, ReasonSchema } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { infoOf } from "./send.ts";

/** A request. */
export interface RawRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

/** What came back. */
export interface RawAnswer {
  /** The HTTP status; 0 when the connection was closed without one. */
  readonly status: number;
  /** What the server says is wrong, in any of the forms in which it says so; undefined when it does not. */
  readonly reason: Reason | undefined;
  readonly requestId: string | undefined;
  /** The body and everything else that a client might show. */
  readonly text: string;
}

const patienceMs = 10_000;

/** Over HTTP/1.1. The path is sent as it is. */
export function http1(url: string, { method = "POST", path, headers = {}, body = "" }: RawRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const length = { "content-length": String(Buffer.byteLength(body)) };
    const options = {
      hostname,
      port,
      method,
      path,
      headers: { ...length, ...headers },
      agent: false,
      timeout: patienceMs,
    };
    const request = httpRequest(options, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () => {
        const received = new Headers(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
        resolve(answerOf(response.statusCode ?? 0, received, new Headers(), Buffer.concat(pieces)));
      });
    });
    request.on("timeout", () => request.destroy(new Error(`${path.slice(0, 100)} was not answered.`)));
    // A server that refuses a large body may close before all of it was sent; its answer counts.
    request.on("error", (error) => (/EPIPE|ECONNRESET/.test(String(error)) ? undefined : reject(error)));
    request.on("close", () => resolve({ status: 0, reason: undefined, requestId: undefined, text: "" }));
    request.end(body);
  });
}

/** Over HTTP/2 without TLS, as gRPC is spoken. */
export async function http2(
  url: string,
  { method = "POST", path, headers = {}, body = "" }: RawRequest,
): Promise<RawAnswer> {
  const session = connectHttp2(url);
  session.on("error", () => undefined);
  try {
    return await new Promise((resolve, reject) => {
      const stream = session.request({ ":method": method, ":path": path, te: "trailers", ...headers });
      const pieces: Buffer[] = [];
      const received = new Headers();
      const trailers = new Headers();
      let status = 0;
      const timer = setTimeout(() => stream.destroy(), patienceMs);
      // A refused body may never be read: the answer's end is what counts, not the stream's.
      const finish = () => {
        clearTimeout(timer);
        resolve(answerOf(status, received, trailers, Buffer.concat(pieces)));
      };
      stream.on("response", (fields) => {
        status = Number(fields[":status"]);
        copy(fields, received);
      });
      stream.on("trailers", (fields) => copy(fields, trailers));
      stream.on("data", (piece) => pieces.push(piece));
      stream.on("error", (error) => {
        clearTimeout(timer);
        if (status === 0) reject(error);
      });
      stream.on("end", finish);
      stream.on("close", finish);
      stream.end(body);
    });
  } finally {
    session.destroy();
  }
}

/** Bytes on a bare socket, which is then half closed; what comes back until the server closes. */
export function bytes(url: string, sent: Uint8Array | string): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connectSocket({ host: hostname, port: Number(port), allowHalfOpen: true });
    const pieces: Buffer[] = [];
    socket.setTimeout(patienceMs, () => socket.destroy());
    socket.on("data", (piece) => pieces.push(piece));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      const text = Buffer.concat(pieces).toString("latin1");
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
      const [head = "", ...rest] = text.split("\r\n\r\n");
      const requestId = /^x-request-id: (.*)$/im.exec(head)?.[1];
      resolve({ status, reason: reasonIn(rest.join("\r\n\r\n")), requestId, text });
    });
    socket.on("end", () => socket.end());
    socket.end(sent);
  });
}

/** A gRPC frame. `length` may lie. */
export function frame(body: Uint8Array, { flags = 0, length = body.byteLength } = {}): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, body]);
}

function copy(fields: object, to: Headers): void {
  for (const [name, value] of Object.entries(fields)) if (!name.startsWith(":")) to.set(name, String(value));
}

function answerOf(status: number, headers: Headers, trailers: Headers, body: Buffer): RawAnswer {
  const text = body.toString("utf8");
  const type = headers.get("content-type") ?? "";
  const ends = type.startsWith("application/grpc-web") ? webTrailers(body) : trailers;
  const failure = findTrailerError(ends.has("grpc-status") ? ends : headers);
  const shown = `${text}\n${headers.get("grpc-message") ?? ""}\n${ends.get("grpc-message") ?? ""}`;
  return {
    status,
    reason: type.startsWith("application/grpc") ? reasonOfGrpc(failure) : reasonIn(text),
    requestId: headers.get("x-request-id") ?? undefined,
    text: decodeURIComponent(shown.replaceAll(/%(?![0-9A-Fa-f]{2})/g, "%25")),
  };
}

function reasonOfGrpc(failure: ReturnType<typeof findTrailerError>): Reason | undefined {
  const reason = infoOf(failure)?.reason;
  // A method that is not there is told by gRPC's own code, before anybody could say more.
  return reason ?? (failure?.code === 12 ? Reason.UNIMPLEMENTED : undefined);
}

/** The trailers that gRPC-Web sends as a last frame. */
function webTrailers(body: Buffer): Headers {
  const trailers = new Headers();
  for (let at = 0; at + 5 <= body.length; ) {
    const length = body.readUInt32BE(at + 1);
    if ((body.readUInt8(at) & 0x80) !== 0) {
      for (const line of body.toString("utf8", at + 5, at + 5 + length).split("\r\n")) {
        const colon = line.indexOf(":");
        if (colon > 0) trailers.set(line.slice(0, colon), line.slice(colon + 1).trim());
      }
    }
    at += 5 + length;
  }
  return trailers;
}

/** The reason in a JSON error: of the plain routes by name, of Connect in its detail, unary or at a stream's end. */
function reasonIn(text: string): Reason | undefined {
  const start = text.indexOf("{");
  if (start < 0) return undefined;
  let json: { reason?: string; details?: { value: string }[]; error?: { details?: { value: string }[] } };
  try {
    json = JSON.parse(text.slice(start, text.lastIndexOf("}") + 1));
  } catch {
    return undefined;
  }
  const named = ReasonSchema.values.find(({ localName }) => localName === json.reason);
  if (named !== undefined) return named.number as Reason;
  const [detail] = json.details ?? json.error?.details ?? [];
  return detail === undefined ? undefined : fromBinary(ErrorInfoSchema, Buffer.from(detail.value, "base64")).reason;
}
