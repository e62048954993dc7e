// The document service: folders, documents, their versions, tasks, comments and grants, and the log of what changed.
// The gateway calls it on behalf of people and client applications; it calls user (who belongs where) and storage (the
// bytes of versions). It keeps no bytes, passwords or names of people, and must never know what a file contains.

import { ArchiveService } from "@docket/contracts/gen/docket/document/v1/archive_service_pb.ts";
import { ChangeFeedService } from "@docket/contracts/gen/docket/document/v1/change_feed_service_pb.ts";
import { ChangeService } from "@docket/contracts/gen/docket/document/v1/change_service_pb.ts";
import { CommentService } from "@docket/contracts/gen/docket/document/v1/comment_service_pb.ts";
import { DocumentService } from "@docket/contracts/gen/docket/document/v1/document_service_pb.ts";
import { FolderService } from "@docket/contracts/gen/docket/document/v1/folder_service_pb.ts";
import { GrantService } from "@docket/contracts/gen/docket/document/v1/grant_service_pb.ts";
import { OperationService } from "@docket/contracts/gen/docket/document/v1/operation_service_pb.ts";
import { TaskService } from "@docket/contracts/gen/docket/document/v1/task_service_pb.ts";
import { VersionService } from "@docket/contracts/gen/docket/document/v1/version_service_pb.ts";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { Tailer } from "@docket/runtime/changelog/tailer";
import { type Clock, systemClock } from "@docket/runtime/clock";
import { openDatabase } from "@docket/runtime/db/database";
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
import { addressBook, databaseOf, openIdentity } from "@docket/runtime/service_settings";
import { countedEvents } from "@docket/runtime/telemetry/counted_events";
import { openTelemetry, type TelemetryOverrides } from "@docket/runtime/telemetry/telemetry";
import { createTokenVerifier, jwksOf } from "@docket/runtime/token";
import { createAuthorizer } from "./authorizer.ts";
import { type Clients, connectClients } from "./clients.ts";
import type { DocumentConfig } from "./config.ts";
import { createEvents } from "./events.ts";
import { archiveHandlers } from "./handlers/archives.ts";
import { changeFeedHandlers } from "./handlers/change_feed.ts";
import { changeHandlers } from "./handlers/changes.ts";
import { commentHandlers } from "./handlers/comments.ts";
import type { Deps } from "./handlers/deps.ts";
import { documentHandlers } from "./handlers/documents.ts";
import { folderHandlers } from "./handlers/folders.ts";
import { grantHandlers } from "./handlers/grants.ts";
import { operationHandlers } from "./handlers/operations.ts";
import { taskHandlers } from "./handlers/tasks.ts";
import { versionHandlers } from "./handlers/versions.ts";
import { housekeeping, jobHandlers } from "./jobs/handlers.ts";
import { startReferences } from "./jobs/references.ts";
import { applyUserChanges, followUsers } from "./jobs/user_changes.ts";
import { resourceChecks } from "./resource_checks.ts";
import { entities } from "./store/entities.ts";
import { migrations } from "./store/migrations/index.ts";
import { Viewers } from "./watching/viewers.ts";
import { Watching, type WatchingOptions } from "./watching/watching.ts";

/** What may be put in place of the defaults. */
export interface DocumentOverrides {
  /** What this process does. Default: everything. */
  readonly role?: Role;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly identity?: Identity;
  /** The services called; tests give fakes. */
  readonly clients?: Clients;
  /** The limits of streams of changes. */
  readonly watching?: Pick<WatchingOptions, "heartbeatMs" | "slowMs" | "queueLength" | "streamsOfSubject">;
  /** Told of each call that ended. */
  readonly observe?: (record: CallRecord) => void;
  /** What is told of traces beside the settings. */
  readonly telemetry?: TelemetryOverrides;
}

/** A document service that runs. */
export interface RunningDocument extends RunningService {
  /** Settles what storage holds for unfinished calls, which otherwise happens by itself. */
  settleReferences(): Promise<void>;
  /** How many streams of changes are open. */
  readonly watchers: number;
}

/** Starts the service, or throws StartError with one sentence. Disposing of it drains it first. */
export async function startDocumentService(
  config: DocumentConfig,
  overrides: DocumentOverrides = {},
): Promise<RunningDocument> {
  const { clock = systemClock, logger = createLogger({ service: "document", level: config.logLevel }) } = overrides;
  const { role = "all" } = overrides;
  await using parts = new AsyncDisposableStack();
  const telemetry = parts.use(
    await openTelemetry(config.telemetry, { service: "document", logger, ...overrides.telemetry }),
  );
  const events = countedEvents(telemetry?.metrics, createEvents(logger));

  const identity = overrides.identity ?? (await openIdentity(Workload.DOCUMENT, config));
  const mesh = parts.use(connectMesh({ identity, addresses: addressBook(config), telemetry }));
  const clients = overrides.clients ?? connectClients(mesh);
  const membership = createMembershipCache({ client: clients.memberships, clock });
  const fetchKeys = async () => jwksOf((await clients.tokens.listPublicKeys({})).keys);

  const db = parts.use(
    await openDatabase({ ...databaseOf(config), name: "document", entities, migrations, logger, telemetry }),
  );
  parts.use(shareWakeUps(db, parts.use(openRedis(config.redis, logger, telemetry?.metrics))));
  const authorizer = createAuthorizer({ db, membership, others: resourceChecks({ db, membership }) });
  const references = parts.use(startReferences({ db, blobs: clients.blobs, events, logger, ...config.references }));
  const settleReferences = () => references.settle();
  const client = clients.userChanges;
  if (runsJobs(role)) {
    const jobs = { db, clients, membership, events, clock, settleReferences };
    parts.use(
      startWorker({
        db,
        logger,
        now: clock,
        ...config.worker,
        telemetry,
        handlers: jobHandlers(jobs),
        periodic: housekeeping(jobs, config),
      }),
    );
    parts.use(applyUserChanges({ db, client, logger }));
  }
  const liveStreams = new LiveStreams();
  const viewers = new Viewers({ db, membership, authorizer });
  const watching = parts.use(
    new Watching({ db, viewers, clients, clock, logger, metrics: telemetry?.metrics, ...overrides.watching }),
  );
  const tailer = parts.use(new Tailer({ db, logger, metrics: { of: telemetry?.metrics, consumer: "feed" } }));
  const onAccessChanged = (id: string | undefined) => watching.accessChanged(id);
  if (answersCalls(role)) {
    parts.use(followUsers({ db, client, membership, liveStreams, logger, onAccessChanged }));
  }

  const deps: Deps = { db, membership, authorizer, clients, confirmations: references, events, clock };
  const running = parts.use(
    await startService({
      identity,
      logger,
      telemetry,
      listen: config.listen,
      authorizer,
      liveStreams,
      verifyToken: createTokenVerifier({ fetchKeys, clock }).verify,
      ...(overrides.observe === undefined ? {} : { observe: overrides.observe }),
      services: answersCalls(role) ? implementations(deps, { watching, viewers, tailer }) : [],
    }),
  );
  const all = parts.move();
  return {
    address: running.address,
    settleReferences,
    get watchers() {
      return watching.size;
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** What it answers with, beside the handlers' own. */
interface Streams {
  readonly watching: Watching;
  readonly viewers: Viewers;
  readonly tailer: Tailer;
}

function implementations(deps: Deps, { watching, viewers, tailer }: Streams) {
  return [
    implement(FolderService, folderHandlers(deps)),
    implement(DocumentService, documentHandlers(deps)),
    implement(VersionService, versionHandlers(deps)),
    implement(GrantService, grantHandlers(deps)),
    implement(TaskService, taskHandlers(deps)),
    implement(CommentService, commentHandlers(deps)),
    implement(ChangeService, changeHandlers(deps, watching, viewers)),
    implement(ChangeFeedService, changeFeedHandlers({ db: deps.db, tailer })),
    implement(OperationService, operationHandlers(deps)),
    implement(ArchiveService, archiveHandlers(deps)),
  ];
}
