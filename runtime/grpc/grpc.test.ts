// The adapter, both ends of it, over a real socket: all four call kinds, backpressure, cancellation, typed errors.

import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { Client as Channel, credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import { create } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import {
  TransferService,
  WriteBlobRequestSchema,
} from "@docket/contracts/gen/docket/storage/v1/transfer_service_pb.ts";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@docket/contracts/gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "@docket/contracts/gen/grpc/reflection/v1/reflection_pb.ts";
import { AppError, reasonOf } from "../errors.ts";
import { eventually } from "../testing/eventually.ts";
import { createReflection } from "./reflection.ts";
import { implement, mount } from "./server.ts";
import { createGrpcTransport } from "./transport.ts";

const seen = { chunks: 0, written: 0, cancelled: 0 };
let server: Server;
let channel: Channel;
let health: Client<typeof Health>;
let transfer: Client<typeof TransferService>;
let reflection: Client<typeof ServerReflection>;

beforeAll(async () => {
  server = new Server();
  const none = { interceptors: [] };
  mount(
    server,
    implement(Health, {
      check({ service }, { signal, responseHeader, responseTrailer, requestHeader }) {
        if (service === "fails")
          throw new AppError(Reason.ETAG_MISMATCH, { metadata: { etag: "7" }, retryAfterMs: 1500 });
        if (service === "crashes") throw new TypeError("a secret of the inside");
        if (service === "hangs") {
          return new Promise((_, reject) => {
            signal.addEventListener("abort", () => {
              seen.cancelled += 1;
              reject(signal.reason);
            });
          });
        }
        responseHeader.set("x-header", requestHeader.get("x-sent") ?? "");
        responseTrailer.set("x-trailer-bin", "AQID");
        return { status: Status.SERVING };
      },
      async *watch({ service }, { signal }) {
        signal.addEventListener("abort", () => {
          seen.cancelled += 1;
        });
        const count = Number(service);
        for (let n = 0; n < count; n += 1) {
          seen.written = n + 1;
          yield { status: Status.SERVING };
        }
        throw new AppError(Reason.RESUME);
      },
    }),
    none,
  );
  mount(
    server,
    implement(TransferService, {
      async writeBlob(requests) {
        let bytes = 0;
        for await (const { part } of requests) {
          if (part.case === "chunk") bytes += part.value.length;
          if (part.case === "end") throw new AppError(Reason.CHECKSUM_MISMATCH);
          seen.chunks += 1;
        }
        return { offset: BigInt(bytes) };
      },
      async *readBlob() {
        yield { part: { case: "chunk" as const, value: new Uint8Array(3) } };
      },
    }),
    none,
  );
  mount(server, implement(ServerReflection, createReflection([Health, TransferService])), none);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  channel = new Channel(`127.0.0.1:${port}`, credentials.createInsecure());
  const transport = createGrpcTransport({ client: () => channel });
  health = createClient(Health, transport);
  transfer = createClient(TransferService, transport);
  reflection = createClient(ServerReflection, transport);
});

afterAll(() => {
  channel.close();
  server.forceShutdown();
});

async function failure(call: Promise<unknown>): Promise<ConnectError> {
  return await call.then(
    () => Promise.reject(new Error("the call should have failed")),
    (error) => ConnectError.from(error),
  );
}

describe("a unary call", () => {
  it("carries messages, headers and trailers", async () => {
    const got: Record<string, string | null> = {};
    const answer = await health.check(
      { service: "" },
      {
        headers: { "x-sent": "hello" },
        onHeader: (header) => {
          got.header = header.get("x-header");
        },
        onTrailer: (trailer) => {
          got.trailer = trailer.get("x-trailer-bin");
        },
      },
    );
    expect(answer.status).toBe(Status.SERVING);
    expect(got).toEqual({ header: "hello", trailer: "AQID" });
  });

  it("fails with a reason, its metadata and its advice", async () => {
    const error = await failure(health.check({ service: "fails" }));
    const [info] = error.findDetails(ErrorInfoSchema);
    expect(error.code).toBe(Code.Aborted);
    expect(info).toMatchObject({
      reason: Reason.ETAG_MISMATCH,
      metadata: { etag: "7" },
      retryAfter: { seconds: 1n, nanos: 500_000_000 },
    });
  });

  it("says nothing of an unexpected fault", async () => {
    const error = await failure(health.check({ service: "crashes" }));
    expect(reasonOf(error)).toBe(Reason.INTERNAL);
    expect(error.message).not.toMatch(/secret|TypeError/);
  });

  it("stops at the caller's deadline and tells the handler", async () => {
    const before = seen.cancelled;
    const error = await failure(health.check({ service: "hangs" }, { timeoutMs: 50 }));
    expect(error.code).toBe(Code.DeadlineExceeded);
    await eventually(() => expect(seen.cancelled).toBe(before + 1));
  });

  it("is cancelled by the caller", async () => {
    const before = seen.cancelled;
    const abort = new AbortController();
    const call = failure(health.check({ service: "hangs" }, { signal: abort.signal }));
    setImmediate(() => abort.abort());
    expect((await call).code).toBe(Code.Canceled);
    await eventually(() => expect(seen.cancelled).toBeGreaterThanOrEqual(before));
  });
});

describe("a server stream", () => {
  it("delivers its messages in order and then its error", async () => {
    let received = 0;
    const error = await failure(
      (async () => {
        for await (const _ of health.watch({ service: "100" })) received += 1;
      })(),
    );
    expect(received).toBe(100);
    expect([error.code, reasonOf(error)]).toEqual([Code.Unavailable, Reason.RESUME]);
  });

  it("does not run ahead of a reader that stops reading", async () => {
    // Connect's streams are ended by their signal, not by leaving the loop.
    const abort = new AbortController();
    const messages = health.watch({ service: "10000000" }, { signal: abort.signal })[Symbol.asyncIterator]();
    await messages.next();
    let last = -1;
    await eventually(() => {
      const moved = seen.written !== last;
      last = seen.written;
      expect(moved).toBe(false);
    });
    expect(seen.written).toBeLessThan(2_000_000);
    const before = seen.cancelled;
    abort.abort();
    await eventually(() => expect(seen.cancelled).toBe(before + 1));
  });
});

describe("a client stream", () => {
  it("brings every message and gets one answer", async () => {
    async function* requests() {
      for (let n = 0; n < 50; n += 1)
        yield create(WriteBlobRequestSchema, { part: { case: "chunk", value: new Uint8Array(1000) } });
    }
    expect((await transfer.writeBlob(requests())).offset).toBe(50_000n);
  });

  it("is answered early with an error while the client still sends", async () => {
    async function* requests() {
      yield create(WriteBlobRequestSchema, { part: { case: "end", value: {} } });
      while (true) yield create(WriteBlobRequestSchema, { part: { case: "chunk", value: new Uint8Array(100_000) } });
    }
    expect(reasonOf(await failure(transfer.writeBlob(requests())))).toBe(Reason.CHECKSUM_MISMATCH);
  });

  it("reports what the client's own source throws", async () => {
    async function* requests() {
      yield create(WriteBlobRequestSchema, { part: { case: "chunk", value: new Uint8Array(1) } });
      throw new Error("the file vanished");
    }
    expect((await failure(transfer.writeBlob(requests()))).message).toMatch(/the file vanished/);
  });
});

describe("a bidirectional stream", () => {
  it("answers each request as it comes", async () => {
    async function* requests() {
      yield { messageRequest: { case: "listServices" as const, value: "" } };
      yield { messageRequest: { case: "fileContainingSymbol" as const, value: "docket.storage.v1.TransferService" } };
      yield { messageRequest: { case: "fileByFilename" as const, value: "no/such.proto" } };
    }
    const answers = [];
    for await (const { messageResponse } of reflection.serverReflectionInfo(requests())) answers.push(messageResponse);
    expect(answers[0]).toMatchObject({
      value: { service: [{ name: "docket.storage.v1.TransferService" }, { name: "grpc.health.v1.Health" }] },
    });
    expect(answers.map(({ case: kind }) => kind)).toEqual([
      "listServicesResponse",
      "fileDescriptorResponse",
      "errorResponse",
    ]);
  });
});
