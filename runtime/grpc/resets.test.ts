import { createClient } from "@connectrpc/connect";
import { Health } from "@docket/contracts/gen/grpc/health/v1/health_pb.ts";
import { Client as Channel, credentials, ServerCredentials } from "@grpc/grpc-js";
import { describe, expect, it } from "@jest/globals";
import { createHealth } from "./health.ts";
import { createServer } from "./listener.ts";
import { implement, mount } from "./server.ts";
import { createGrpcTransport } from "./transport.ts";

describe("a connection with the calls of many", () => {
  it("outlives those who give up, however many they are", async () => {
    const server = createServer();
    mount(server, implement(Health, createHealth([]).handlers), { interceptors: [] });
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    const channel = new Channel(`127.0.0.1:${port}`, credentials.createInsecure());
    const health = createClient(Health, createGrpcTransport({ client: () => channel }));
    const leaving = new AbortController();
    const patient = health.watch({ service: "" }, { signal: leaving.signal })[Symbol.asyncIterator]();
    try {
      await patient.next();
      let ended: unknown = "not yet";
      const next = patient.next().then(
        () => (ended = "another message"),
        (error: unknown) => (ended = error),
      );
      for (let round = 0; round < 30; round += 1) {
        await Promise.all(
          Array.from({ length: 50 }, async () => {
            const stop = new AbortController();
            const hasty = health.watch({ service: "" }, { signal: stop.signal })[Symbol.asyncIterator]();
            await hasty.next();
            stop.abort();
            await expect(hasty.next()).rejects.toThrow("[canceled]");
          }),
        );
      }
      await health.check({ service: "" });
      expect(ended).toBe("not yet");
      leaving.abort();
      await next;
    } finally {
      channel.close();
      server.forceShutdown();
    }
  });
});
