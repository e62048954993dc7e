// An edge in front of faked services, over real sockets, gRPC and mTLS.

import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { allowed } from "@docket/runtime/access";
import { createLogger } from "@docket/runtime/logger";
import { startService } from "@docket/runtime/service";
import { testIdentity } from "@docket/runtime/testing/identities";
import { readConfig } from "../config.ts";
import { type GatewayOverrides, type RunningGateway, startGateway } from "../service.ts";
import { FakeDocuments } from "./upstreams/document.ts";
import { FakeStorage } from "./upstreams/storage.ts";
import { FakeUsers } from "./upstreams/user.ts";

export interface World extends AsyncDisposable {
  readonly users: FakeUsers;
  readonly documents: FakeDocuments;
  readonly storage: FakeStorage;
  readonly gateway: RunningGateway;
  readonly url: string;
  readonly port: number;
  /** The log's lines so far. */
  readonly lines: string[];
}

/** Starts everything; `env` are settings of the edge. */
export async function startWorld(env: Record<string, string> = {}, overrides: GatewayOverrides = {}): Promise<World> {
  await using started = new AsyncDisposableStack();
  const users = new FakeUsers();
  const documents = new FakeDocuments();
  const storage = new FakeStorage(documents);
  const logger = createLogger({ level: "silent" });
  const serve = async (
    workload: Workload,
    { services }: { services: FakeUsers["services"] | FakeDocuments["services"] | FakeStorage["services"] },
    self: object,
  ) => {
    const service = await startService({
      identity: await testIdentity(workload),
      listen: { host: "127.0.0.1", port: 0 },
      logger,
      authorizer: { check: async () => allowed },
      verifyToken: users.verifyToken,
      services: services.call(self as never) as never,
      drainMs: 200,
    });
    started.use(service);
    return service.address;
  };
  const addresses = {
    USER_ADDRESS: await serve(Workload.USER, users, users),
    DOCUMENT_ADDRESS: await serve(Workload.DOCUMENT, documents, documents),
    STORAGE_ADDRESS: await serve(Workload.STORAGE, storage, storage),
    INTEGRATION_ADDRESS: "127.0.0.1:1",
  };
  const lines: string[] = [];
  const gateway = await startGateway(readConfig({ PORT: "0", EDGE_DRAIN_TIMEOUT: "500ms", ...addresses, ...env }), {
    identity: await testIdentity(Workload.GATEWAY),
    logger: createLogger({
      service: "gateway",
      level: "debug",
      destination: { write: (line) => void lines.push(line) },
    }),
    ...overrides,
  });
  started.use(gateway);
  const owned = started.move();
  const [, port = ""] = /:(\d+)$/.exec(`:${gateway.port}`) ?? [];
  const scheme = env.TLS_CERT === undefined ? "http" : "https";
  return {
    users,
    documents,
    storage,
    gateway,
    lines,
    url: `${scheme}://127.0.0.1:${port}`,
    port: gateway.port,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
