// The whole mesh in one call: every service in this process, real gRPC over loopback with mTLS between them, SQLite and
// files in one data folder. `npm start`, the journeys and the benches use it.

import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readConfig as readDocumentConfig } from "@docket/document/config";
import { startDocumentService } from "@docket/document/service";
import { readConfig as readGatewayConfig } from "@docket/gateway/config";
import { startGateway } from "@docket/gateway/service";
import { readConfig as readIntegrationConfig } from "@docket/integration/config";
import { startIntegrationService } from "@docket/integration/service";
import { openDataDir } from "@docket/runtime/data_dir";
import { refuseSharedSchema } from "@docket/runtime/db/url";
import { StartError } from "@docket/runtime/errors";
import type { CallRecord } from "@docket/runtime/interceptors/options";
import { createLogger, type Logger } from "@docket/runtime/logger";
import { redisLocation } from "@docket/runtime/redis/location";
import type { TelemetryOverrides } from "@docket/runtime/telemetry/telemetry";
import { readConfig as readStorageConfig } from "@docket/storage/config";
import { startStorageService } from "@docket/storage/service";
import { readConfig as readUserConfig } from "@docket/user/config";
import { startUserService } from "@docket/user/service";
import { type PortalProcess, startPortalProcess } from "./portal_process.ts";

/** Settings as in an environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What tests may put in place of the defaults. */
export interface MeshOverrides {
  /** Where every service logs. Default: each to standard error. */
  readonly logger?: Logger;
  /** Told of each call that any service has ended. */
  readonly observe?: (record: CallRecord) => void;
  /** What is told of traces beside the settings. */
  readonly telemetry?: TelemetryOverrides | undefined;
  /** Starts the portal too, as a child process. Default: no pages, as most tests need none. */
  readonly portal?: PortalOptions | undefined;
}

/** Where the portal comes from. */
export interface PortalOptions {
  /** The folder of its build, made if need be. Asked when the edge listens already, so that a start that cannot be is told first. */
  readonly build: () => Promise<string>;
}

/** A mesh that runs. Disposing of it drains the edge first and the user service last. */
export interface RunningMesh extends AsyncDisposable {
  /** Where the edge is, without a slash at the end. */
  readonly url: string;
  /** Where each service is inside: `user` → `127.0.0.1:41234`. */
  readonly addresses: Readonly<Record<"user" | "document" | "storage" | "integration", string>>;
  /** The portal's process, where it was asked for. */
  readonly portal: PortalProcess | undefined;
}

/** Starts everything, in the order in which services call each other. Throws ConfigError or StartError. */
export async function startMesh(
  environment: Environment,
  { logger, observe, telemetry, portal: wanted }: MeshOverrides = {},
): Promise<RunningMesh> {
  // Every setting is checked before anything is made.
  const inside = {
    ...environment,
    USER_PORT: "0",
    DOCUMENT_PORT: "0",
    STORAGE_PORT: "0",
    INTEGRATION_PORT: "0",
    EDGE_INNER_PORT: "0",
    WEB_ADDRESS: undefined,
  };
  const gatewayConfig = readGatewayConfig(inside);
  const userConfig = readUserConfig(inside);
  redisLocation(gatewayConfig.redis);
  refuseSharedSchema(userConfig.databaseUrl?.reveal());
  const overridesOf = (service: string) => ({
    logger: logger?.child({ service }) ?? createLogger({ service, level: gatewayConfig.logLevel }),
    ...(observe === undefined ? {} : { observe }),
    ...(telemetry === undefined ? {} : { telemetry }),
  });
  await using parts = new AsyncDisposableStack();
  parts.use(await openDataDir(gatewayConfig.dataDir));
  const embedded = userConfig.databaseUrl === undefined;
  if (embedded) await refuseMissingDatabases(gatewayConfig.dataDir);
  let url: string | undefined;
  const user = parts.use(await startUserService(userConfig, { ...overridesOf("user"), edgeUrl: () => url }));
  const withUser = { ...inside, USER_ADDRESS: user.address };
  const storage = parts.use(await startStorageService(readStorageConfig(withUser), overridesOf("storage")));
  const withStorage = { ...withUser, STORAGE_ADDRESS: storage.address };
  const document = parts.use(await startDocumentService(readDocumentConfig(withStorage), overridesOf("document")));
  const withDocument = { ...withStorage, DOCUMENT_ADDRESS: document.address };
  const integration = parts.use(
    await startIntegrationService(readIntegrationConfig(withDocument), overridesOf("integration")),
  );
  const withIntegration = { ...withDocument, INTEGRATION_ADDRESS: integration.address };
  let portal: PortalProcess | undefined;
  // Ended after the edge, which may have pages under way.
  parts.defer(async () => portal?.[Symbol.asyncDispose]());
  const gateway = parts.use(
    await startGateway(readGatewayConfig(withIntegration), {
      ...overridesOf("gateway"),
      ...(wanted && { portal: () => portal?.address }),
    }),
  );
  url = gateway.url;
  if (embedded) await noteDatabases(gatewayConfig.dataDir);
  if (wanted && gateway.innerAddress) {
    const { innerAddress } = gateway;
    const output = await wanted.build();
    portal = await startPortalProcess({ innerAddress, output, environment, logger: overridesOf("web").logger });
  }
  const running = parts.move();
  return {
    url: gateway.url,
    addresses: {
      user: user.address,
      document: document.address,
      storage: storage.address,
      integration: integration.address,
    },
    portal,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The databases that belong together, and the note in the data folder that all of them were made. */
const databases = ["user.db", "storage.db", "document.db", "integration.db"];
const databasesNote = "databases.json";

/**
 * A database that is gone would otherwise be made anew, empty, beside others that still speak of its contents. The note
 * is written after the first complete start, so that one which was interrupted goes on.
 */
async function refuseMissingDatabases(dataDir: string): Promise<void> {
  const missing = (await notedDatabases(dataDir)).filter((name) => !existsSync(join(dataDir, name)));
  if (missing.length > 0) {
    throw new StartError(
      `The data folder ${dataDir} has lost ${missing.join(" and ")}: restore the whole folder from a backup, or set DOCKET_DATA_DIR to an empty one.`,
    );
  }
}

/** What the note lists: a database that a later release has added is not missing before its first start. */
async function notedDatabases(dataDir: string): Promise<string[]> {
  const note = join(dataDir, databasesNote);
  if (!existsSync(note)) return [];
  try {
    return JSON.parse(await readFile(note, "utf8")) as string[];
  } catch {
    return databases;
  }
}

async function noteDatabases(dataDir: string): Promise<void> {
  await writeFile(join(dataDir, databasesNote), `${JSON.stringify(databases)}\n`);
}
