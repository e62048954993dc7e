// What the server says in HTTP/2 headers and trailers, seen without gRPC's own client, which mends much of it.

import { once } from "node:events";
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from "node:http2";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { Client as Channel, credentials, Metadata, Server, ServerCredentials } from "@grpc/grpc-js";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "@docket/contracts/gen/grpc/health/v1/health_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError, reasonOf } from "../errors.ts";
import { implement, mount } from "./server.ts";
import { fromStatus } from "./status.ts";
import { createGrpcTransport } from "./transport.ts";

let server: Server;
let address: string;
let session: ClientHttp2Session;

beforeAll(async () => {
  server = new Server();
  const handlers = implement(Health, {
    check({ service }, { responseHeader, responseTrailer }) {
      if (service === "bare") throw new AppError(Reason.OVERLOADED);
      responseHeader.set("x-header", "one");
      responseTrailer.set("x-bytes-bin", "AQ");
      if (service === "fails") throw new AppError(Reason.OVERLOADED);
      return { status: Status.SERVING };
    },
    // biome-ignore lint/correctness/useYield: a stream without an answer is the point.
    async *watch({ service }, { responseHeader }) {
      responseHeader.set("x-header", "two");
      if (service === "fails") throw new AppError(Reason.OVERLOADED);
    },
  });
  mount(server, handlers, { interceptors: [] });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  address = `127.0.0.1:${port}`;
  session = connect(`http://${address}`);
});

afterAll(() => {
  session.destroy();
  server.forceShutdown();
});

/** Calls a method and gives what came before the messages and after them; one and the same when there is one frame. */
async function call(
  method: string,
  service: string,
): Promise<{ header: IncomingHttpHeaders; trailer: IncomingHttpHeaders }> {
  const message = toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service }));
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return await send(method, frame);
}

/** Calls a method with a body. */
async function send(
  method: string,
  body: Buffer,
): Promise<{ header: IncomingHttpHeaders; trailer: IncomingHttpHeaders }> {
  const path = `/grpc.health.v1.Health/${method}`;
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
  });
  let header: IncomingHttpHeaders = {};
  let trailer: IncomingHttpHeaders | undefined;
  stream.on("response", (headers) => {
    header = headers;
  });
  stream.on("trailers", (headers) => {
    trailer = headers;
  });
  stream.end(body);
  stream.resume();
  await once(stream, "close");
  return { header, trailer: trailer ?? header };
}

describe("on the wire", () => {
  it("binary trailers have no padding, and OK has no message", async () => {
    const { trailer } = await call("Check", "");
    expect(trailer["grpc-status"]).toBe("0");
    expect(trailer["grpc-message"]).toBeUndefined();
    expect(trailer["x-bytes-bin"]).toBe("AQ");
    const failed = await call("Check", "bare");
    expect(failed.trailer["grpc-message"]).toMatch(/busy/);
    expect(failed.trailer["grpc-status-details-bin"]).toMatch(/^[A-Za-z0-9+/]+$/);
  });

  it("a handler's headers go out when it fails, too, and where its stream has no message", async () => {
    for (const [method, service, value] of [
      ["Check", "fails", "one"],
      ["Watch", "fails", "two"],
      ["Watch", "", "two"],
    ] as const) {
      const { header, trailer } = await call(method, service);
      expect(header["x-header"]).toBe(value);
      expect(header["grpc-status"]).toBeUndefined();
      expect(trailer["grpc-status"]).toBe(service === "fails" ? "8" : "0");
    }
  });

  it("a failure without headers is one frame", async () => {
    const { header, trailer } = await call("Check", "bare");
    expect(trailer).toBe(header);
    expect(header["grpc-status"]).toBe("8");
  });

  it("a request whose message is cut off is refused, and its handler is not asked", async () => {
    const { trailer } = await send("Check", Buffer.from([0, 0, 0, 0, 9, 1]));
    expect(trailer["grpc-status"]).toBe("3");
    expect(trailer["grpc-message"]).toBe(encodeURI("The stream ended within a message."));
  });

  it("a client finds a failed call's headers and trailers in its error", async () => {
    const channel = new Channel(address, credentials.createInsecure());
    const client = createClient(Health, createGrpcTransport({ client: () => channel }));
    const error = await client.check({ service: "fails" }).catch((fault) => fault);
    expect(reasonOf(error)).toBe(Reason.OVERLOADED);
    expect(error.metadata.get("x-header")).toBe("one");
    expect(error.metadata.get("x-bytes-bin")).toBe("AQ");
    channel.close();
  });

  it("a reset counts as the deadline once that has passed, and as a cancellation before", () => {
    const reset = { code: Code.Canceled as number, details: "Call cancelled", metadata: new Metadata() };
    const codeWith = (deadline?: number) => fromStatus(reset, { deadline }).code;
    expect(codeWith(Date.now() - 1)).toBe(Code.DeadlineExceeded);
    expect(codeWith(Date.now() + 60_000)).toBe(Code.Canceled);
    expect(codeWith()).toBe(Code.Canceled);
  });
});
