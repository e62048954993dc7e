// The settings that every service has, so that one variable means the same to all of them; each service's config.ts
// adds its own to these.

import { pathToFileURL } from "node:url";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { workloadName } from "@docket/contracts/policy";
import { type Setting, setting, type Values } from "./config.ts";
import { type Identity, loadIdentity, meshSettings } from "./identity/identity.ts";
import { type LogLevel, logLevels } from "./logger.ts";
import type { Addresses } from "./mesh.ts";
import { redisSettings } from "./redis/settings.ts";
import { telemetrySettings } from "./telemetry/settings.ts";

/** Where each service listens when it is a process of its own on one machine. */
const defaultPorts: Readonly<Record<string, number>> = {
  user: 7101,
  document: 7102,
  storage: 7103,
  integration: 7104,
};

/** The settings of any process of Docket. */
export const processSettings = {
  dataDir: setting.path("DOCKET_DATA_DIR", {
    default: ".docket",
    doc: "The folder that holds databases, files and the development mesh's keys. Everything that must be kept is here.",
  }),
  logLevel: setting.choice<LogLevel, { default: string; doc: string }>("LOG_LEVEL", logLevels, {
    default: "info",
    doc: "The least severe lines that are logged, as JSON on standard error.",
  }),
  mesh: meshSettings,
  redis: redisSettings,
  telemetry: telemetrySettings,
  addresses: {
    user: addressesOf(Workload.USER),
    document: addressesOf(Workload.DOCUMENT),
    storage: addressesOf(Workload.STORAGE),
    integration: addressesOf(Workload.INTEGRATION),
  },
};

/** How a service's background jobs are run. */
export const workerSettings = {
  concurrency: setting.integer("WORKER_CONCURRENCY", {
    default: 4,
    min: 1,
    max: 64,
    doc: "How many background jobs one process runs at once.",
  }),
  leaseMs: setting.duration("WORKER_LEASE", {
    default: "30s",
    min: 1_000,
    doc: "After how long without a sign of life others take over the background jobs of a process.",
  }),
};

/** The settings of a service that listens for gRPC and has a database. */
export function serviceSettings(workload: Workload) {
  const name = workloadName(workload);
  const prefix = name.toUpperCase();
  return {
    ...processSettings,
    listen: {
      host: setting.string(`${prefix}_HOST`, {
        default: "127.0.0.1",
        doc: `The address that the ${name} service listens on for calls of other services.`,
      }),
      port: setting.integer(`${prefix}_PORT`, {
        default: defaultPorts[name] ?? 0,
        min: 0,
        max: 65_535,
        doc: `The port that the ${name} service listens on; 0 takes a free one.`,
      }),
    },
    databaseUrl: setting.string("DATABASE_URL", {
      optional: true,
      secret: true,
      pattern: /^(file|sqlite|mysql|mariadb):./,
      accepts: "a URL that begins with file:, sqlite:, mysql: or mariadb:",
      doc: "The database: `mysql://user:password@host:3306/schema` or `mariadb://…`, one schema and one account per service (`{service}` stands for the service's name), or `file:` and a folder. Unset: SQLite files in the data folder.",
    }),
    database: {
      caFile: setting.path("DATABASE_CA", {
        optional: true,
        doc: "PEM file of the authorities that may vouch for the database server. Unset: those that Node trusts. Where it is set, TLS is used on loopback too.",
      }),
      allowPlaintext: setting.boolean("DATABASE_ALLOW_PLAINTEXT", {
        default: false,
        doc: "Whether a database server on another machine may be spoken to without TLS: only where the network itself encrypts.",
      }),
      connections: setting.integer("DATABASE_CONNECTIONS", {
        default: 10,
        min: 2,
        max: 1000,
        doc: "The most connections of one process to the database server.",
      }),
      migrate: setting.boolean("DATABASE_MIGRATE", {
        optional: true,
        doc: "Whether pending migrations are applied when a service starts. Unset: only to SQLite; elsewhere `npm run migrate` does it.",
      }),
    },
  };
}

/** The values of {@link processSettings}. */
export type ProcessConfig = Values<typeof processSettings>;
/** The values of {@link serviceSettings}. */
export type ServiceConfig = Values<ReturnType<typeof serviceSettings>>;

/** Where a service's database is and how it is opened: what the settings say, or SQLite files in the data folder. */
export function databaseOf({ databaseUrl, database, dataDir }: ServiceConfig) {
  const { migrate, ...connection } = database;
  return {
    url: databaseUrl?.reveal() ?? pathToFileURL(dataDir).href,
    connection,
    ...(migrate === undefined ? {} : { migrate }),
  };
}

/** The identity of a workload, as the settings say who keeps it. */
export function openIdentity(workload: Workload, { mesh, dataDir }: ProcessConfig): Promise<Identity> {
  return loadIdentity({ ...mesh, dataDir, workload });
}

/** The addresses of the services, for connectMesh. */
export function addressBook({ addresses }: ProcessConfig): Addresses {
  return addresses;
}

function addressesOf(workload: Workload): Setting<readonly string[]> {
  const name = workloadName(workload);
  return setting.list(`${name.toUpperCase()}_ADDRESS`, {
    default: [`127.0.0.1:${defaultPorts[name]}`],
    doc: `Where the ${name} service is: host:port, several separated by commas and used in turn.`,
  });
}
