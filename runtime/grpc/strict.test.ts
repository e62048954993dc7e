import { once } from "node:events";
import { connect, type OutgoingHttpHeaders } from "node:http2";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { describe, expect, it } from "@jest/globals";
import { Health } from "@docket/contracts/gen/grpc/health/v1/health_pb.ts";
import { createHealth } from "./health.ts";
import { implement, mount } from "./server.ts";
import { refuseOthers } from "./strict.ts";

describe("a gRPC server", () => {
  it("serves POST of protobuf and nothing else", async () => {
    const server = new Server();
    refuseOthers(server);
    mount(server, implement(Health, createHealth([]).handlers), { interceptors: [] });
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    const session = connect(`http://127.0.0.1:${port}`);
    const statusOf = async (headers: OutgoingHttpHeaders) => {
      const asked = {
        ":method": "POST",
        ":path": "/grpc.health.v1.Health/Check",
        "content-type": "application/grpc",
        te: "trailers",
        ...headers,
      };
      const stream = session.request(asked, { endStream: false });
      // Answered before its body has come, where it is refused.
      stream.on("error", () => undefined);
      stream.end(Buffer.alloc(5));
      const [answer] = await once(stream, "response");
      stream.resume();
      return [answer[":status"], answer["grpc-status"]];
    };
    try {
      expect(await statusOf({ ":method": "GET" })).toEqual([405, undefined]);
      expect(await statusOf({ ":method": "PUT" })).toEqual([405, undefined]);
      expect(await statusOf({ "content-type": "application/grpc+json" })).toEqual([415, undefined]);
      expect(await statusOf({ "content-type": "application/json" })).toEqual([415, undefined]);
      for (const type of ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"]) {
        expect((await statusOf({ "content-type": type }))[0]).toBe(200);
      }
    } finally {
      session.destroy();
      server.forceShutdown();
    }
  });
});
