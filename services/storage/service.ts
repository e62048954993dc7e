// The storage service: bytes on their way in, at rest and on their way out. Called by the gateway for people and their
// clients, and by the document service, which alone knows what the bytes are the contents of. It must never know
// documents, folders or grants: a ticket or a reference is all that it hears of them.

import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { BlobService } from "@docket/contracts/gen/docket/storage/v1/blob_service_pb.ts";
import { TransferService } from "@docket/contracts/gen/docket/storage/v1/transfer_service_pb.ts";
import { UploadService } from "@docket/contracts/gen/docket/storage/v1/upload_service_pb.ts";
import { UsageService } from "@docket/contracts/gen/docket/storage/v1/usage_service_pb.ts";
import { type Clock, systemClock } from "@docket/runtime/clock";
import { openDatabase } from "@docket/runtime/db/database";
import { StartError } from "@docket/runtime/errors";
import type { Identity } from "@docket/runtime/identity/identity";
import type { CallRecord } from "@docket/runtime/interceptors/options";
import { createLogger, type Logger } from "@docket/runtime/logger";
import { createMembershipCache } from "@docket/runtime/membership";
import { connectMesh } from "@docket/runtime/mesh";
import { startWorker } from "@docket/runtime/queue/worker";
import { openRedis } from "@docket/runtime/redis/redis";
import { shareWakeUps } from "@docket/runtime/redis/wake_ups";
import { answersCalls, type Role, runsJobs } from "@docket/runtime/role";
import { implement, LiveStreams, type RunningService, startService } from "@docket/runtime/service";
import { addressBook, openIdentity } from "@docket/runtime/service_settings";
import { countedEvents } from "@docket/runtime/telemetry/counted_events";
import { openTelemetry, type TelemetryOverrides } from "@docket/runtime/telemetry/telemetry";
import { createTokenVerifier, jwksOf } from "@docket/runtime/token";
import { endStreamsOf, followUserChanges } from "@docket/runtime/user_changes";
import { createAuthorizer } from "./authorizer.ts";
import { type Clients, connectClients } from "./clients.ts";
import { blobPlaceOf, databaseOf, limitsOf, type StorageConfig } from "./config.ts";
import { openDriver } from "./drivers/open.ts";
import { storageEvents } from "./events.ts";
import { blobHandlers } from "./handlers/blobs.ts";
import type { HandlerDeps } from "./handlers/deps.ts";
import { transferHandlers } from "./handlers/transfers.ts";
import { uploadHandlers } from "./handlers/uploads.ts";
import { usageHandlers } from "./handlers/usage.ts";
import { jobHandlers } from "./jobs/handlers.ts";
import { Janitor } from "./jobs/janitor.ts";
import { applyUserChange } from "./jobs/user_changes.ts";
import { BlobStore } from "./store/blobs.ts";
import { entities } from "./store/entities.ts";
import { migrations } from "./store/migrations/index.ts";
import { ReferenceStore } from "./store/references.ts";
import { TicketKeyStore } from "./store/ticket_keys.ts";
import { UploadStore } from "./store/uploads.ts";
import { ByteBudget } from "./transfer/budget.ts";
import { BlobReader } from "./transfer/reader.ts";
import { RunningDigests } from "./transfer/running_digest.ts";
import { Tickets } from "./transfer/tickets.ts";
import { Verifier } from "./transfer/verifier.ts";
import { UploadWatch } from "./transfer/watch.ts";
import { Writers } from "./transfer/writers.ts";

/** What may be put in place of the defaults. */
export interface StorageOverrides {
  /** What this process does. Default: everything. */
  readonly role?: Role;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly identity?: Identity;
  /** The services called; tests give fakes. */
  readonly clients?: Clients;
  /** In place of BLOB_ABANDONED_AFTER, for tests that cannot wait for it. */
  readonly abandonedMs?: number;
  /** Told of each call that ended. */
  readonly observe?: (record: CallRecord) => void;
  /** What is told of traces beside the settings. */
  readonly telemetry?: TelemetryOverrides;
}

/** A storage service that runs. */
export interface RunningStorage extends RunningService {
  /** One round of housekeeping, which otherwise comes by itself. */
  tidy(): Promise<void>;
  /** The writes that are open here, and how many bytes they have taken. */
  arriving(): { readonly writes: number; readonly bytes: number };
}

/** Starts the service, or throws StartError with one sentence. */
export async function startStorageService(
  config: StorageConfig,
  overrides: StorageOverrides = {},
): Promise<RunningStorage> {
  const { clock = systemClock, logger = createLogger({ service: "storage", level: config.logLevel }) } = overrides;
  const { role = "all" } = overrides;
  const startedAt = Date.now();
  const limits = { ...limitsOf(config), abandonedMs: overrides.abandonedMs ?? config.abandonedMs };
  await using parts = new AsyncDisposableStack();
  const telemetry = parts.use(
    await openTelemetry(config.telemetry, { service: "storage", logger, ...overrides.telemetry }),
  );
  const events = countedEvents(telemetry?.metrics, storageEvents(logger));

  const identity = overrides.identity ?? (await openIdentity(Workload.STORAGE, config));
  const mesh = parts.use(connectMesh({ identity, addresses: addressBook(config), telemetry }));
  const clients = overrides.clients ?? connectClients(mesh);
  const membership = createMembershipCache({ client: clients.memberships, clock });
  const fetchKeys = async () => jwksOf((await clients.tokens.listPublicKeys({})).keys);
  // Tokens are dated by another service, so they are judged by the real time whatever clock the rules go by.
  const verifyToken = createTokenVerifier({ fetchKeys }).verify;

  const db = parts.use(
    await openDatabase({
      ...databaseOf(config),
      name: "storage",
      entities,
      migrations,
      logger,
      telemetry,
    }),
  );
  parts.use(shareWakeUps(db, parts.use(openRedis(config.redis, logger, telemetry?.metrics))));
  const place = blobPlaceOf(config);
  const driver = parts.use(await openDriver(place));
  if (role !== "all" && driver.exclusive) {
    throw new StartError(
      "Files in a folder are kept by one storage process alone: start it without --role, or set BLOB_URL to s3://.",
    );
  }

  const watch = new UploadWatch();
  const uploads = new UploadStore(db, watch, clock, limits);
  const blobs = new BlobStore(db, uploads, clock);
  const references = new ReferenceStore(db, uploads, blobs, clock);
  const ticketKeys = new TicketKeyStore(db, clock);
  const tickets = new Tickets(ticketKeys, clock);
  const digests = new RunningDigests();
  const writeBudget = new ByteBudget(config.inFlightBytes);
  const readBudget = new ByteBudget(config.inFlightBytes);
  const writers = parts.use(new Writers({ driver, uploads, digests, clock, budget: writeBudget }));
  const reader = new BlobReader({ db, driver, blobs, events, budget: readBudget });
  const verifier = parts.use(new Verifier({ db, blobs, events, place, maxParts: limits.maxParts }));
  const janitor = new Janitor({ db, driver, uploads, blobs, verifier, writers, ticketKeys, events, clock, limits });
  if (runsJobs(role)) {
    if (driver.exclusive) await janitor.sweep(startedAt);
    // By the real time, as leases are. What a job was cut at, another worker takes up soon; a person may be waiting.
    const soon = { leaseMs: 10_000, drainMs: 2_000 };
    parts.use(
      startWorker({
        db,
        logger,
        telemetry,
        handlers: jobHandlers(verifier),
        periodic: janitor.periodic(config.janitorMs),
        ...soon,
      }),
    );
    await janitor.resume();
  }

  const liveStreams = new LiveStreams();
  if (answersCalls(role)) {
    parts.use(
      followUserChanges({
        client: clients.userChanges,
        logger,
        apply: async (changes) => {
          for (const change of changes) {
            endStreamsOf(change, liveStreams);
            await applyUserChange(change, { membership, uploads, blobs, writers });
          }
        },
        onGap: () => membership.forgetAll(),
      }),
    );
  }

  const deps: HandlerDeps = {
    db,
    uploads,
    blobs,
    references,
    writers,
    reader,
    verifier,
    digests,
    watch,
    tickets,
    memberships: clients.memberships,
    free: () => driver.free(),
    limits,
    clock,
  };
  const service = parts.use(
    await startService({
      identity,
      logger,
      telemetry,
      liveStreams,
      verifyToken,
      authorizer: createAuthorizer({ uploads, membership, tickets }),
      listen: config.listen,
      services: answersCalls(role) ? implementations(deps) : [],
      ...(overrides.observe === undefined ? {} : { observe: overrides.observe }),
    }),
  );
  const running = parts.move();
  return {
    address: service.address,
    tidy: () => janitor.run(),
    arriving: () => writers.arriving(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** What it answers. */
function implementations(deps: HandlerDeps) {
  return [
    implement(UsageService, usageHandlers(deps)),
    implement(UploadService, uploadHandlers(deps)),
    implement(TransferService, transferHandlers(deps)),
    implement(BlobService, blobHandlers(deps)),
  ];
}
