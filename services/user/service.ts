// The user service: who people are, where they work together, and what they may do there. Everybody in the mesh may ask
// it; it asks nobody. It keeps accounts, sessions, workspaces, roles, groups and keys in a database of its own, and must
// never know of documents or of bytes.

import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { ApiKeyService } from "@docket/contracts/gen/docket/user/v1/api_key_service_pb.ts";
import { GroupService } from "@docket/contracts/gen/docket/user/v1/group_service_pb.ts";
import { MembershipService } from "@docket/contracts/gen/docket/user/v1/membership_service_pb.ts";
import { NotificationService } from "@docket/contracts/gen/docket/user/v1/notification_service_pb.ts";
import { RoleService } from "@docket/contracts/gen/docket/user/v1/role_service_pb.ts";
import { SessionService } from "@docket/contracts/gen/docket/user/v1/session_service_pb.ts";
import { TokenService } from "@docket/contracts/gen/docket/user/v1/token_service_pb.ts";
import { UserChangeService } from "@docket/contracts/gen/docket/user/v1/user_change_service_pb.ts";
import { UserService } from "@docket/contracts/gen/docket/user/v1/user_service_pb.ts";
import { WorkspaceService } from "@docket/contracts/gen/docket/user/v1/workspace_service_pb.ts";
import { Tailer } from "@docket/runtime/changelog/tailer";
import { type Clock, systemClock } from "@docket/runtime/clock";
import { openDatabase } from "@docket/runtime/db/database";
import type { Identity } from "@docket/runtime/identity/identity";
import type { CallRecord } from "@docket/runtime/interceptors/options";
import { createLogger, type Logger } from "@docket/runtime/logger";
import { startWorker } from "@docket/runtime/queue/worker";
import { openRedis } from "@docket/runtime/redis/redis";
import { shareWakeUps } from "@docket/runtime/redis/wake_ups";
import { answersCalls, type Role, runsJobs } from "@docket/runtime/role";
import { implement, type RunningService, startService } from "@docket/runtime/service";
import { databaseOf, openIdentity } from "@docket/runtime/service_settings";
import { countedEvents } from "@docket/runtime/telemetry/counted_events";
import { openTelemetry, type TelemetryOverrides } from "@docket/runtime/telemetry/telemetry";
import { keySecretOf, publicUrlOf, type UserConfig } from "./config.ts";
import { openKeyRing } from "./credentials/key_ring.ts";
import { createPasswords, type Passwords } from "./credentials/passwords.ts";
import { createVault, loadVaultSecret } from "./credentials/vault.ts";
import { defaultLimits, type Limits } from "./domain/limits.ts";
import { createEvents } from "./events.ts";
import { apiKeyHandlers } from "./handlers/api_key.ts";
import { createAuthorizer } from "./handlers/authorizer.ts";
import type { Deps } from "./handlers/deps.ts";
import { groupHandlers } from "./handlers/group.ts";
import { housekeeping } from "./handlers/housekeeping.ts";
import { mailJobs } from "./handlers/mailing.ts";
import { membershipHandlers } from "./handlers/membership.ts";
import { notificationHandlers } from "./handlers/notification.ts";
import { roleHandlers } from "./handlers/role.ts";
import { sessionHandlers } from "./handlers/session.ts";
import { tokenHandlers } from "./handlers/token.ts";
import { createTokenCheck } from "./handlers/token_check.ts";
import { userHandlers } from "./handlers/user.ts";
import { userChangeHandlers } from "./handlers/user_change.ts";
import { vouchForSessions } from "./handlers/vouching.ts";
import { workspaceHandlers } from "./handlers/workspace.ts";
import { createMailer, type Mailer } from "./mail/mailer.ts";
import { entities } from "./store/entities.ts";
import { migrations } from "./store/migrations/index.ts";

/** What tests, and the mesh in one process, may put in place of the defaults. */
export interface UserOverrides {
  /** What this process does. Default: everything. */
  readonly role?: Role;
  readonly identity?: Identity;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly limits?: Limits;
  readonly passwords?: Passwords;
  /** Instead of the mail server of SMTP_URL; with it, mail can be sent. */
  readonly mailer?: Mailer;
  readonly observe?: (record: CallRecord) => void;
  /** What is told of traces beside the settings. */
  readonly telemetry?: TelemetryOverrides;
  /** Where the edge is, when it has begun to listen: for links, where neither PUBLIC_URL nor PORT says it. */
  readonly edgeUrl?: () => string | undefined;
}

/** Starts the user service, or throws a StartError with one sentence. Disposing of it drains it first. */
export async function startUserService(config: UserConfig, overrides: UserOverrides = {}): Promise<RunningService> {
  const logger = overrides.logger ?? createLogger({ service: "user", level: config.logLevel });
  const clock = overrides.clock ?? systemClock;
  const { role = "all" } = overrides;
  const { smtpUrl } = config.mail;
  const mailer = overrides.mailer ?? (smtpUrl && createMailer(smtpUrl.reveal(), config.mail.from));

  await using parts = new AsyncDisposableStack();
  const telemetry = parts.use(
    await openTelemetry(config.telemetry, { service: "user", logger, ...overrides.telemetry }),
  );
  const identity = overrides.identity ?? (await openIdentity(Workload.USER, config));
  const db = parts.use(
    await openDatabase({
      ...databaseOf(config),
      name: "user",
      entities,
      migrations,
      logger,
      telemetry,
    }),
  );
  const redis = parts.use(openRedis(config.redis, logger, telemetry?.metrics));
  parts.use(shareWakeUps(db, redis));
  if (redis !== undefined) parts.use(vouchForSessions({ db, redis, logger }));
  const vault = createVault(keySecretOf(config) ?? (await loadVaultSecret(config.dataDir)));
  const keys = parts.use(await openKeyRing({ db, vault, clock, logger, rotationMs: config.signingKeyRotationMs }));
  const deps: Deps = {
    db,
    clock,
    vault,
    keys,
    passwords: overrides.passwords ?? (await createPasswords()),
    tailer: parts.use(new Tailer({ db, logger, metrics: { of: telemetry?.metrics, consumer: "user_changes" } })),
    events: countedEvents(telemetry?.metrics, createEvents(logger)),
    rules: {
      signUp: config.signUp,
      mail: mailer !== undefined,
      publicUrl: () => publicUrlOf(config, overrides.edgeUrl?.()),
      sessionIdleMs: config.sessions.idleMs,
      sessionLifeMs: config.sessions.lifeMs,
      workspaceQuotaBytes: config.workspaceQuotaBytes,
      maxFileBytes: config.maxFileBytes,
      limits: overrides.limits ?? defaultLimits,
    },
  };
  if (runsJobs(role)) {
    const handlers = mailer === undefined ? {} : mailJobs(deps, mailer);
    const periodic = housekeeping(deps);
    parts.use(startWorker({ db, logger, telemetry, now: clock, ...config.worker, handlers, periodic }));
  }
  const running = parts.use(
    await startService({
      identity,
      logger,
      telemetry,
      listen: config.listen,
      authorizer: createAuthorizer(db),
      verifyToken: createTokenCheck(deps),
      ...(overrides.observe === undefined ? {} : { observe: overrides.observe }),
      services: answersCalls(role) ? implementations(deps) : [],
    }),
  );
  const started = parts.move();
  return { address: running.address, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

/** What it answers. */
function implementations(deps: Deps) {
  return [
    implement(SessionService, sessionHandlers(deps)),
    implement(UserService, userHandlers(deps)),
    implement(WorkspaceService, workspaceHandlers(deps)),
    implement(RoleService, roleHandlers(deps)),
    implement(GroupService, groupHandlers(deps)),
    implement(ApiKeyService, apiKeyHandlers(deps)),
    implement(TokenService, tokenHandlers(deps)),
    implement(MembershipService, membershipHandlers(deps)),
    implement(UserChangeService, userChangeHandlers(deps)),
    implement(NotificationService, notificationHandlers(deps)),
  ];
}
