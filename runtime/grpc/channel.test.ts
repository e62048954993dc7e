// Where a channel goes: one address, several in turn, or all that a name stands for.

import { createClient } from "@connectrpc/connect";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { UploadService } from "@docket/contracts/gen/docket/storage/v1/upload_service_pb.ts";
import { Health } from "@docket/contracts/gen/grpc/health/v1/health_pb.ts";
import { describe, expect, it } from "@jest/globals";
import { allowed } from "../access.ts";
import { createLogger } from "../logger.ts";
import { implement, type RunningService, startService } from "../service.ts";
import { eventually } from "../testing/eventually.ts";
import { testIdentity } from "../testing/identities.ts";
import { openChannel } from "./channel.ts";
import { createGrpcTransport } from "./transport.ts";

/** A service that counts who asks it. */
async function replica(asked: string[], name: string): Promise<RunningService> {
  const unused = async (): Promise<never> => Promise.reject(new Error("unused"));
  return await startService({
    identity: await testIdentity(Workload.STORAGE),
    listen: { host: "127.0.0.1", port: 0 },
    logger: createLogger({ level: "silent" }),
    observe: () => void asked.push(name),
    authorizer: { check: async () => allowed },
    verifyToken: unused,
    services: [
      implement(
        UploadService,
        Object.fromEntries(UploadService.methods.map(({ localName }) => [localName, unused])) as never,
      ),
    ],
  });
}

async function healthAt(targets: readonly string[]) {
  const channel = openChannel(await testIdentity(Workload.GATEWAY), Workload.STORAGE, targets);
  const client = createClient(Health, createGrpcTransport({ client: () => channel }));
  return { client, [Symbol.dispose]: () => channel.close() };
}

describe("a channel", () => {
  it("spreads calls over several addresses, and goes on when one of them is gone", async () => {
    const asked: string[] = [];
    await using first = await replica(asked, "first");
    await using parts = new AsyncDisposableStack();
    const second = parts.use(await replica(asked, "second"));
    using health = await healthAt([first.address, second.address]);
    await eventually(async () => {
      await health.client.check({ service: "" });
      return asked.includes("first") && asked.includes("second");
    });
    await parts.disposeAsync();
    await eventually(() => health.client.check({ service: "" }).then(() => true));
    asked.length = 0;
    for (let call = 0; call < 6; call += 1) await health.client.check({ service: "" });
    expect(asked).toEqual(Array(6).fill("first"));
  });

  it("finds a service by its name", async () => {
    const asked: string[] = [];
    await using service = await replica(asked, "named");
    using health = await healthAt([`localhost:${service.address.split(":")[1]}`]);
    await health.client.check({ service: "" });
    expect(asked).toEqual(["named"]);
  });

  it.each([
    [[], "No address of storage is known."],
    [["storage-1:7103", "storage-2:7103"], "Several addresses of storage must be IP addresses of one kind"],
    [["127.0.0.1:7103", "[::1]:7103"], "Several addresses of storage must be IP addresses of one kind"],
  ])("says what is wrong with the addresses %j", async (targets, sentence) => {
    await expect(healthAt(targets)).rejects.toThrow(sentence);
  });
});
