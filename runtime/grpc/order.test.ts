// A server of bare HTTP/2, which sends messages and the failure after them in one piece, and clients that read at leisure.

import { once } from "node:events";
import { createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { Client as Channel, credentials } from "@grpc/grpc-js";
import { toBinary, create } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
  HealthCheckResponseSchema,
} from "@docket/contracts/gen/grpc/health/v1/health_pb.ts";
import { createGrpcTransport } from "./transport.ts";

const count = 40;
let server: Http2Server;
let channel: Channel;
let health: Client<typeof Health>;

/** What the server does after its messages. */
let end: (stream: ServerHttp2Stream) => void;
const fail = (stream: ServerHttp2Stream) => {
  stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "14", "grpc-message": "resume" }));
  stream.end();
};

beforeAll(async () => {
  const message = toBinary(HealthCheckResponseSchema, create(HealthCheckResponseSchema, { status: Status.SERVING }));
  const frame = Buffer.from([0, 0, 0, 0, message.length, ...message]);
  server = createServer();
  server.on("stream", (stream) => {
    stream.on("error", () => undefined);
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.write(Buffer.concat(Array.from({ length: count }, () => frame)));
    end(stream);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  channel = new Channel(`127.0.0.1:${(server.address() as AddressInfo).port}`, credentials.createInsecure());
  health = createClient(Health, createGrpcTransport({ client: () => channel }));
});

afterAll(() => {
  channel.close();
  server.close();
});

/** Reads all, one message a turn of the event loop, and gives how many there were and how it ended. */
async function readAll(signal?: AbortSignal, stopReadingAt = Number.POSITIVE_INFINITY) {
  let read = 0;
  try {
    for await (const _ of health.watch({}, signal ? { signal } : {})) {
      read += 1;
      if (read === stopReadingAt) {
        await new Promise((resolve) => signal?.addEventListener("abort", resolve, { once: true }));
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  } catch (error) {
    return { read, code: ConnectError.from(error).code };
  }
  return { read, code: undefined };
}

describe("a stream that fails", () => {
  it("hands over every message that was sent before", async () => {
    end = fail;
    expect(await readAll()).toEqual({ read: count, code: Code.Unavailable });
  });

  it("ends, when its connection is cut after the failure was told", async () => {
    end = (stream) => {
      fail(stream);
      stream.once("close", () => stream.session?.destroy());
    };
    const { code } = await readAll();
    expect(code).toBe(Code.Unavailable);
  });

  it("ends for who gives up before everything was read", async () => {
    end = fail;
    const giveUp = new AbortController();
    const reading = readAll(giveUp.signal, 3);
    setImmediate(() => giveUp.abort());
    const { code, read } = await reading;
    expect(read).toBeLessThanOrEqual(count);
    expect(code).toBeDefined();
  });

  it("fails when its last message is cut off, whatever the server says of it", async () => {
    end = (stream) => {
      stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.from([0, 0, 0, 0, 9, 1]));
    };
    expect(await readAll()).toEqual({ read: count, code: Code.Internal });
  });

  it("hands over every message when it succeeds, as ever", async () => {
    end = (stream) => {
      stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end();
    };
    expect(await readAll()).toEqual({ read: count, code: undefined });
  });
});
