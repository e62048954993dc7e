// One gRPC call over HTTP/2, with everything that a client library hides: which certificate is shown, from which address, and
// what came back, by a proxy or by the service.

import {
  type ClientHttp2Session,
  connect,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from "node:http2";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { ReasonSchema } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { enumName } from "@docket/contracts/policy";
import type { RpcAnswer, RpcQuestion } from "./protocol.ts";
import { open } from "./tcp.ts";

const sessions = new Map<string, ClientHttp2Session>();

function sessionOf(question: RpcQuestion): ClientHttp2Session {
  const key = JSON.stringify([question.target, question.tls, question.localAddress]);
  const known = question.fresh ? undefined : sessions.get(key);
  if (known !== undefined && !known.closed && !known.destroyed) return known;
  const { target, tls, localAddress } = question;
  const session = connect(`${tls ? "https" : "http"}://${target}`, {
    createConnection: () => open(target, { tls, localAddress, alpn: ["h2"] }),
  });
  const forget = () => {
    if (sessions.get(key) === session) sessions.delete(key);
  };
  // Each call under way hears of a break.
  session.setMaxListeners(0);
  session.on("error", forget);
  session.on("goaway", forget);
  session.on("close", forget);
  if (!question.fresh) sessions.set(key, session);
  return session;
}

export function callRpc(question: RpcQuestion): Promise<RpcAnswer> {
  const { path, headers = {}, messages = [""], openMs = 0, deadlineMs, giveUpMs = 10_000 } = question;
  const started = performance.now();
  const session = sessionOf(question);
  return new Promise((resolve) => {
    let seen: IncomingHttpHeaders & IncomingHttpStatusHeader = {};
    const parts = new Parts();
    let failure: string | undefined;
    const end = (outcome: RpcAnswer["outcome"]) => {
      clearTimeout(timer);
      session.off("error", broken);
      if (question.fresh) session.close();
      resolve({
        outcome,
        ...statusOf(seen),
        messages: parts.messages,
        durationMs: performance.now() - started,
        ...(failure === undefined ? {} : { error: failure }),
      });
    };
    const broken = (error: Error) => {
      failure = error.message;
      end("failed");
    };
    session.once("error", broken);
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      ":authority": question.target,
      "content-type": "application/grpc",
      te: "trailers",
      ...(deadlineMs === undefined ? {} : { "grpc-timeout": `${deadlineMs}m` }),
      ...headers,
    });
    const timer = setTimeout(() => {
      end("cancelled");
      stream.close(constants.NGHTTP2_CANCEL);
    }, giveUpMs);
    const take = (more: IncomingHttpHeaders) => {
      seen = { ...seen, ...more };
    };
    stream.on("response", take);
    stream.on("trailers", take);
    stream.on("data", (chunk: Buffer) => parts.add(chunk));
    stream.on("error", (error) => {
      failure = error.message;
    });
    stream.on("close", () =>
      end(seen["grpc-status"] === undefined && seen[":status"] === undefined ? "failed" : "answered"),
    );
    for (const message of messages) stream.write(framed(Buffer.from(message, "base64")));
    if (openMs === 0) stream.end();
    else setTimeout(() => stream.end(), openMs);
  });
}

function statusOf(headers: IncomingHttpHeaders & IncomingHttpStatusHeader): Partial<RpcAnswer> {
  const status = headers["grpc-status"];
  const http = headers[":status"];
  const fields = new Headers();
  for (const name of ["grpc-status", "grpc-message", "grpc-status-details-bin"]) {
    const value = headers[name];
    if (typeof value === "string") fields.set(name, value);
  }
  const [info] = findTrailerError(fields)?.findDetails(ErrorInfoSchema) ?? [];
  return {
    ...(http === undefined ? {} : { httpStatus: http }),
    ...(status === undefined ? {} : { grpcStatus: Number(status) }),
    ...(headers["grpc-message"] === undefined
      ? {}
      : { grpcMessage: decodeURIComponent(String(headers["grpc-message"])) }),
    ...(info === undefined ? {} : { reason: enumName(ReasonSchema, info.reason) }),
  };
}

/** A message of gRPC's framing: a flag, four bytes of length, and the message. */
function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Counts the messages of an answer, however they are cut. */
class Parts {
  messages = 0;
  #rest = Buffer.alloc(0);

  add(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 5) {
      const whole = 5 + this.#rest.readUInt32BE(1);
      if (this.#rest.length < whole) return;
      this.messages += 1;
      this.#rest = this.#rest.subarray(whole);
    }
  }
}
