// Who tries again: the client itself, or, behind a sidecar, the sidecar alone.

import { once } from "node:events";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { UploadService } from "@docket/contracts/gen/docket/storage/v1/upload_service_pb.ts";
import { retriesOf } from "@docket/contracts/policy";
import { describe, expect, it } from "@jest/globals";
import { sidecarIdentity } from "./identity/identity.ts";
import { connectMesh } from "./mesh.ts";

describe("a client behind a sidecar", () => {
  it("calls once, since its sidecar tries again", async () => {
    let calls = 0;
    const server = createServer();
    server.on("stream", (stream) => {
      calls += 1;
      stream.on("error", () => undefined);
      stream.resume();
      stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": "14" }, { endStream: true });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const identity = sidecarIdentity({
      workload: Workload.GATEWAY,
      trustDomain: "cluster.local",
      namespace: "docket-dev",
    });
    const mesh = connectMesh({ identity, addresses: { storage: [`127.0.0.1:${port}`] } });
    try {
      const call = mesh.client(UploadService).getUpload({ uploadId: "0190b5a0-0000-7000-8000-000000000001" });
      await expect(call).rejects.toMatchObject({ code: 14 });
      expect(retriesOf(UploadService.method.getUpload)).toBeGreaterThan(0);
      expect(calls).toBe(1);
    } finally {
      await mesh[Symbol.asyncDispose]();
      server.close();
    }
  });
});
