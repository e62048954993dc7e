// The integration service: tells what changes in workspaces to addresses outside. The gateway calls it for those who manage
// webhooks; it follows the document service's changes and asks the user service who may do what. It alone has egress to the
// Internet, through egress/ only. It must never know titles or contents: a change names things by id.

import { WebhookService } from "@docket/contracts/gen/docket/integration/v1/webhook_service_pb.ts";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
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
import { createSealer, loadSecretFile } from "@docket/runtime/vault";
import { createAuthorizer } from "./authorizer.ts";
import { type Clients, connectClients } from "./clients.ts";
import { type IntegrationConfig, keySecretOf } from "./config.ts";
import { createEgress, type EgressOptions } from "./egress/send.ts";
import { createEvents } from "./events.ts";
import { type Batch, fanOut } from "./following/fan_out.ts";
import { followFeed } from "./following/follower.ts";
import { FollowingLag } from "./following/lag.ts";
import type { Deps } from "./handlers/deps.ts";
import { webhookHandlers } from "./handlers/webhooks.ts";
import { housekeeping, jobHandlers } from "./jobs/housekeeping.ts";
import { applyUserChanges, followUsers } from "./jobs/user_changes.ts";
import { entities } from "./store/entities.ts";
import { migrations } from "./store/migrations/index.ts";

/** How long a worker that died holds up the webhooks that it was delivering to, in milliseconds. */
const leaseMs = 10_000;

/** What may be put in place of the defaults. */
export interface IntegrationOverrides {
  /** What this process does. Default: everything. */
  readonly role?: Role;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly identity?: Identity;
  /** The services called; tests give fakes. */
  readonly clients?: Clients;
  /** How names are resolved and connections made. */
  readonly egress?: Pick<EgressOptions, "resolve" | "dial">;
  /** Told of each call that ended. */
  readonly observe?: (record: CallRecord) => void;
  /** What is told of traces beside the settings. */
  readonly telemetry?: TelemetryOverrides;
}

/** Starts the service, or throws StartError with one sentence. Disposing of it drains it first. */
export async function startIntegrationService(
  config: IntegrationConfig,
  overrides: IntegrationOverrides = {},
): Promise<RunningService> {
  const { clock = systemClock, logger = createLogger({ service: "integration", level: config.logLevel }) } = overrides;
  const { role = "all" } = overrides;
  await using parts = new AsyncDisposableStack();
  const telemetry = parts.use(
    await openTelemetry(config.telemetry, { service: "integration", logger, ...overrides.telemetry }),
  );
  const events = countedEvents(telemetry?.metrics, createEvents(logger));

  const identity = overrides.identity ?? (await openIdentity(Workload.INTEGRATION, config));
  const mesh = parts.use(connectMesh({ identity, addresses: addressBook(config), telemetry }));
  const clients = overrides.clients ?? connectClients(mesh);
  const membership = createMembershipCache({ client: clients.memberships, clock });
  const fetchKeys = async () => jwksOf((await clients.tokens.listPublicKeys({})).keys);
  const secret = keySecretOf(config) ?? (await loadSecretFile(config.dataDir, "integration", lost));
  const sealer = createSealer(secret, "integration");
  const egress = createEgress({ ...config.egress, ...overrides.egress });

  const db = parts.use(
    await openDatabase({ ...databaseOf(config), name: "integration", entities, migrations, logger, telemetry }),
  );
  parts.use(shareWakeUps(db, parts.use(openRedis(config.redis, logger, telemetry?.metrics))));
  const { delivery, webhooksPerWorkspace } = config;
  const delivering = { db, egress, sealer, events, clock, delivery };
  const client = clients.userChanges;
  if (runsJobs(role)) {
    parts.use(
      startWorker({
        db,
        logger,
        now: clock,
        telemetry,
        handlers: jobHandlers(delivering),
        periodic: housekeeping(delivering),
        concurrency: delivery.webhooksAtOnce,
        leaseMs,
      }),
    );
    const lag = new FollowingLag(telemetry?.metrics);
    const apply = (batch: Batch) => lag.during(batch, () => fanOut({ db, events, clock, ...delivery }, batch));
    parts.use(followFeed({ db, feed: clients.feed, logger, apply }));
    parts.use(applyUserChanges({ db, client, logger, events }));
  }
  const liveStreams = new LiveStreams();
  if (answersCalls(role)) parts.use(followUsers({ db, client, logger, membership, liveStreams }));

  const deps: Deps = { ...delivering, clients, webhooksPerWorkspace };
  const running = parts.use(
    await startService({
      identity,
      logger,
      telemetry,
      listen: config.listen,
      authorizer: createAuthorizer({ db, membership }),
      liveStreams,
      // Tokens are dated by another service, so they are judged by the real time whatever clock the rules go by.
      verifyToken: createTokenVerifier({ fetchKeys }).verify,
      ...(overrides.observe === undefined ? {} : { observe: overrides.observe }),
      services: answersCalls(role) ? [implement(WebhookService, webhookHandlers(deps))] : [],
    }),
  );
  const all = parts.move();
  return { address: running.address, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

const lost = "every webhook needs a new secret";
