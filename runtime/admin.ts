// What an operator may do to the database of any service, beside the service or without it: see and mend its jobs, see
// which migrations it has. Each service's admin.ts adds what concerns it alone. It must never know a service's tables.

import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  type Database,
  type Entity,
  type OpenDatabaseOptions,
  openDatabase,
  type SchemaState,
  type TablesOf,
} from "./db/database.ts";
import type { RuntimeTables } from "./db/entities.ts";
import { openPage } from "./db/page.ts";
import { parseDatabaseUrl } from "./db/url.ts";
import { StartError } from "./errors.ts";
import { createLogger } from "./logger.ts";
import {
  discardJob,
  type JobRecord,
  type JobState,
  listJobs,
  type QueueDepth,
  queueDepth,
  rerunJob,
} from "./queue/queue.ts";

export type { SchemaState } from "./db/database.ts";
export type { JobRecord, JobState, QueueDepth } from "./queue/queue.ts";

/** Which jobs. */
export interface JobFilter {
  readonly state: JobState;
  readonly kind?: string;
}

/** What every service's database offers to an operator. */
export interface DatabaseAdmin extends AsyncDisposable {
  /** The service's name. */
  readonly name: string;
  /** Jobs in a state, the longest due first, `limit` at most. */
  listJobs(filter: JobFilter, limit: number): Promise<JobRecord[]>;
  /** How many jobs there are, by kind and state. */
  jobDepth(): Promise<QueueDepth[]>;
  /** Gives a dead job all its attempts again; false when there is no dead job of this id. */
  rerunJob(id: string): Promise<boolean>;
  /** Removes a dead job for good; false when there is no dead job of this id. */
  discardJob(id: string): Promise<boolean>;
  /** Which migrations the database has, and which it lacks. */
  schemaState(): Promise<SchemaState>;
}

/** How an operator's command opens a database. */
export interface AdminOptions {
  /** Makes SQLite's file where there is none. Default: false, which a StartError then says. */
  readonly create?: boolean;
  /** Brings an older schema up to date. Default: false, which a StartError then says. */
  readonly migrate?: boolean;
}

/** A page of jobs in one question. */
const pageSize = 200;

/**
 * Opens a service's database for an operator; a service that runs goes on meanwhile. Throws StartError where there is no
 * database, so that a wrong DOCKET_DATA_DIR makes none.
 */
export async function openForAdmin<const Entities extends readonly Entity[]>(
  options: Omit<OpenDatabaseOptions<Entities>, "logger" | "migrate">,
  { create = false, migrate = false }: AdminOptions = {},
): Promise<Database<TablesOf<Entities>>> {
  const { url, name } = options;
  const location = parseDatabaseUrl(url, name);
  const file = location.dialect === "sqlite" ? join(location.folder, `${name}.db`) : undefined;
  const missing = file !== undefined && !existsSync(file);
  if (missing && !create) {
    throw new StartError(
      `There is no database ${file}: set DOCKET_DATA_DIR to the data folder, or start Docket once to make it.`,
    );
  }
  return await openDatabase<Entities>({
    ...options,
    migrate: migrate || missing,
    logger: createLogger({ service: name, level: "warn" }),
  } as OpenDatabaseOptions<Entities>);
}

/** What an operator may do to an open database; disposing of it closes the database. */
export function adminOf<Tables extends RuntimeTables>(db: Database<Tables>): DatabaseAdmin {
  return {
    name: db.name,
    async listJobs(filter, limit) {
      const jobs: JobRecord[] = [];
      let pageToken = "";
      do {
        const size = Math.min(pageSize, limit - jobs.length);
        const page = openPage({ pageSize: size, pageToken }, ["jobs", filter.state, filter.kind ?? ""]);
        const { rows, nextPageToken } = await listJobs(db, filter, page);
        jobs.push(...rows);
        pageToken = nextPageToken;
      } while (pageToken !== "" && jobs.length < limit);
      return jobs;
    },
    jobDepth: () => queueDepth(db),
    rerunJob: (id) => rerunJob(db, id),
    discardJob: (id) => discardJob(db, id),
    schemaState: () => db.schemaState(),
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
}
