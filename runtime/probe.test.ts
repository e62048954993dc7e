// Health checks from outside of a process, with the mesh's own encryption.

import { once } from "node:events";
import { createServer } from "node:http";
import { createClient } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { UploadService } from "@docket/contracts/gen/docket/storage/v1/upload_service_pb.ts";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@docket/contracts/gen/grpc/health/v1/health_pb.ts";
import { describe, expect, it } from "@jest/globals";
import { allowed } from "./access.ts";
import { readSettings } from "./config.ts";
import { reasonOf } from "./errors.ts";
import { startMeshHttpServer } from "./http/server.ts";
import { loadDevelopmentIdentity, sidecarIdentity } from "./identity/identity.ts";
import { createLogger } from "./logger.ts";
import { connectMesh } from "./mesh.ts";
import { faultOfMeshPage, faultOfPage, faultOfService, reachable } from "./probe.ts";
import { implement, startService } from "./service.ts";
import { serviceSettings } from "./service_settings.ts";
import { temporaryFolder } from "./testing/temporary_folder.ts";

function configAt(dataDir: string, address: string) {
  const [host = "", port = ""] = address.split(":");
  const settings = serviceSettings(Workload.STORAGE);
  return readSettings(settings, { DOCKET_DATA_DIR: dataDir, STORAGE_HOST: host, STORAGE_PORT: port });
}

describe("a probe", () => {
  it("finds a service that serves, one that says it does not, and none", async () => {
    await using folder = await temporaryFolder();
    let ready = true;
    const unused = async (): Promise<never> => Promise.reject(new Error("unused"));
    const methods = Object.fromEntries(UploadService.methods.map(({ localName }) => [localName, unused]));
    await using parts = new AsyncDisposableStack();
    const service = parts.use(
      await startService({
        identity: await loadDevelopmentIdentity({ dataDir: folder.path, workload: Workload.STORAGE }),
        listen: { host: "127.0.0.1", port: 0 },
        logger: createLogger({ level: "silent" }),
        authorizer: { check: async () => allowed },
        verifyToken: unused,
        ready: async () => ready,
        services: [implement(UploadService, methods as never)],
      }),
    );
    const config = configAt(folder.path, service.address);
    expect(await faultOfService(Workload.STORAGE, config)).toBeUndefined();
    // Another workload at the address is not the one that was asked for.
    await expect(faultOfService(Workload.DOCUMENT, config)).rejects.toThrow();
    ready = false;
    expect(await faultOfService(Workload.STORAGE, config)).toBe("It does not serve.");
    await parts.disposeAsync();
    await expect(faultOfService(Workload.STORAGE, config)).rejects.toThrow();
  });

  it("needs no name in the pod of a service behind a sidecar, where all else needs one", async () => {
    const unused = async (): Promise<never> => Promise.reject(new Error("unused"));
    const methods = Object.fromEntries(UploadService.methods.map(({ localName }) => [localName, unused]));
    const mesh = { trustDomain: "cluster.local", namespace: "docket-dev" };
    await using service = await startService({
      identity: sidecarIdentity({ ...mesh, workload: Workload.STORAGE }),
      listen: { host: "127.0.0.1", port: 0 },
      logger: createLogger({ level: "silent" }),
      authorizer: { check: async () => allowed },
      verifyToken: unused,
      services: [implement(UploadService, methods as never)],
    });
    await using peer = connectMesh({
      identity: sidecarIdentity({ ...mesh, workload: Workload.GATEWAY }),
      addresses: { storage: [service.address] },
    });
    const health = createClient(Health, peer.transport(UploadService));
    expect(await health.check({ service: "" })).toMatchObject({ status: Status.SERVING });
    const refused = await peer
      .client(UploadService)
      .getUpload({ uploadId: "0190b5a0-0000-7000-8000-000000000001" })
      .catch(reasonOf);
    expect(refused).toBe(Reason.CALLER_UNKNOWN);
    // Whoever says a name is judged by it, and this one did not come through the sidecar.
    const named = { "x-forwarded-client-cert": "URI=spiffe://cluster.local/ns/docket-dev/sa/gateway" };
    await expect(health.check({ service: "" }, { headers: named })).rejects.toThrow();
  });

  it("asks for a page inside the mesh, as one of its workloads", async () => {
    await using folder = await temporaryFolder();
    const identity = await loadDevelopmentIdentity({ dataDir: folder.path, workload: Workload.WEB });
    const server = await startMeshHttpServer({
      identity,
      listen: { host: "127.0.0.1", port: 0, variable: "WEB_PORT" },
      callers: [Workload.GATEWAY],
      open: ["/healthz"],
      onRequest: (request, response) => {
        response.writeHead(request.url === "/healthz" ? 200 : 500).end();
      },
      refused: () => undefined,
    });
    const config = configAt(folder.path, server.address);
    expect(await faultOfMeshPage(Workload.WEB, config, "/healthz")).toBeUndefined();
    // Open to all workloads is the health alone.
    expect(await faultOfMeshPage(Workload.WEB, config, "/")).toMatch(/^\/ answers 4\d\d\.$/);
    await server.drain(0);
    identity[Symbol.dispose]();
    await expect(faultOfMeshPage(Workload.WEB, config, "/healthz")).rejects.toThrow();
  });

  it("asks the edge as anybody may", async () => {
    const server = createServer((request, response) =>
      response.writeHead(request.url === "/healthz" ? 200 : 503).end(),
    );
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as { port: number };
    expect(await faultOfPage(`http://127.0.0.1:${port}/healthz`)).toBeUndefined();
    expect(await faultOfPage(`http://127.0.0.1:${port}/readyz`)).toContain("answers 503");
    server.closeAllConnections();
    await once(server.close(), "close");
    expect(await faultOfPage(`http://127.0.0.1:${port}/healthz`)).toContain("cannot be asked");
  });

  it.each([
    ["0.0.0.0", "127.0.0.1"],
    ["::", "[::1]"],
    ["fd00::7", "[fd00::7]"],
    ["10.0.0.3", "10.0.0.3"],
  ])("reaches what listens on %s at %s", (host, address) => {
    expect(reachable(host)).toBe(address);
  });
});
