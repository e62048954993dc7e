// The edge: the only service that the outside reaches. It speaks Connect, gRPC-Web, gRPC, tus and plain HTTP on one
// port, turns sessions and keys into tokens, and guards the mesh. It keeps no data, knows no rules of documents, and
// publishes exactly the RPCs that the contract says.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { Health } from "@docket/contracts/gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "@docket/contracts/gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "@docket/contracts/gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { edgeRpcs, type Rpc } from "@docket/contracts/registry";
import { AppError, StartError, toConnectError } from "@docket/runtime/errors";
import { createHealth } from "@docket/runtime/grpc/health";
import { createReflection } from "@docket/runtime/grpc/reflection";
import type { Identity } from "@docket/runtime/identity/identity";
import { newId } from "@docket/runtime/ids";
import { createLogger, type Logger } from "@docket/runtime/logger";
import { connectMesh } from "@docket/runtime/mesh";
import { HotCopies } from "@docket/runtime/redis/hot_copies";
import { openRedis } from "@docket/runtime/redis/redis";
import { SharedBuckets } from "@docket/runtime/redis/shared_buckets";
import { addressBook, openIdentity } from "@docket/runtime/service_settings";
import { HttpRequests } from "@docket/runtime/telemetry/http_requests";
import { openTelemetry, type TelemetryOverrides } from "@docket/runtime/telemetry/telemetry";
import { type GatewayClients, gatewayClients } from "./clients.ts";
import type { GatewayConfig } from "./config.ts";
import { draining, insecureCookies, listening, requestEnded, tellGauges } from "./events.ts";
import { archives } from "./files/archives.ts";
import { Contents } from "./files/contents.ts";
import { downloads } from "./files/downloads.ts";
import { limitKey } from "./guard/client_address.ts";
import { Gate } from "./guard/gate.ts";
import { createEdge } from "./http/edge.ts";
import type { Exchange } from "./http/exchange.ts";
import { KeySetCache } from "./http/key_set.ts";
import { pages } from "./http/pages.ts";
import { rawRefusal } from "./http/problem.ts";
import { ReadinessProbe } from "./http/readiness.ts";
import { StalledAnswers } from "./http/stalled.ts";
import { ByteBudget } from "./limits/byte_budget.ts";
import { Load } from "./limits/load.ts";
import { RateLimits } from "./limits/rates.ts";
import { type Listener, startListener } from "./listener/listener.ts";
import { noPortal, openPortal } from "./portal/portal.ts";
import { createRpcAdapter, type LibraryOptions } from "./rpc/adapter.ts";
import { publishedServices } from "./rpc/reflection.ts";
import { SessionAnswers } from "./rpc/session_answers.ts";
import { SessionCookie } from "./session/cookie.ts";
import { OpenStreams } from "./session/open_streams.ts";
import { Sessions } from "./session/sessions.ts";
import { followEndings } from "./session/user_changes.ts";
import { LimitsCache } from "./tus/limits.ts";
import { uploads } from "./tus/uploads.ts";

export interface GatewayOverrides {
  readonly identity?: Identity;
  readonly logger?: Logger;
  /** What the edge publishes. Default: the contract's edge RPCs. */
  readonly rpcs?: readonly Rpc[];
  readonly rates?: RateLimits;
  /** Stands between the edge and the services that it forwards to. Default: nothing does. */
  readonly transport?: (mesh: GatewayClients["transport"]) => GatewayClients["transport"];
  /** What the protocol library is given besides. Default: nothing. */
  readonly library?: LibraryOptions;
  /** Where the portal's process is at the moment, for one that is started after the edge. Default: WEB_ADDRESS. */
  readonly portal?: () => string | undefined;
  /** What is told of traces beside the settings. */
  readonly telemetry?: TelemetryOverrides;
}

export interface RunningGateway extends AsyncDisposable {
  /** Where it is reached, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Where the portal's process calls it, `127.0.0.1:7105`; undefined where there is no portal. */
  readonly innerAddress: string | undefined;
  /** What it has in hand at the moment. */
  gauges(): Gauges;
}

export interface Gauges {
  readonly connections: number;
  /** Requests, streams and transfers that were let in and have not ended. */
  readonly inFlight: number;
  /** Streams of somebody signed in. */
  readonly openStreams: number;
  /** Bytes of request messages in memory. */
  readonly heldBytes: number;
}

/** Starts the edge, or throws a StartError with one sentence. Disposing of it drains it first. */
export async function startGateway(config: GatewayConfig, overrides: GatewayOverrides = {}): Promise<RunningGateway> {
  const logger = overrides.logger ?? createLogger({ service: "gateway", level: config.logLevel });
  await using starting = new AsyncDisposableStack();
  const telemetry = starting.use(
    await openTelemetry(config.telemetry, { service: "gateway", logger, ...overrides.telemetry }),
  );
  const identity = overrides.identity ?? starting.use(await openIdentity(Workload.GATEWAY, config));
  const rpcs = overrides.rpcs ?? edgeRpcs();
  const https = config.publicUrl === undefined ? config.tls !== undefined : config.publicUrl.protocol === "https:";
  const drained = new AbortController();
  const budget = new ByteBudget(config.limits.requestBytes);

  const mesh = starting.use(connectMesh({ identity, addresses: addressBook(config), telemetry }));
  const clients = gatewayClients(mesh);
  const cookie = new SessionCookie(https);
  const redis = starting.use(openRedis(config.redis, logger, telemetry?.metrics));
  const copies = redis && new HotCopies(redis);
  const sessions = new Sessions({ tokens: clients.tokens, copies });
  const streams = new OpenStreams(sessions);
  const load = starting.use(new Load(config.limits));
  const stalled = starting.use(new StalledAnswers(config.limits.transferIdleMs));
  const shared = redis && new SharedBuckets(redis);
  const rates = overrides.rates ?? new RateLimits({ scale: config.rateScale / 100, shared });
  const gate = new Gate({ cookie, sessions, rates, load, publicOrigin: config.publicUrl?.origin });
  const readiness = new ReadinessProbe(clients.health, redis);
  const published = publishedServices(rpcs);
  const health = createHealth(
    published.map(({ typeName }) => typeName),
    async () => (await readiness.check()).ready,
  );
  const reflection = createReflection([...published, Health, ServerReflection, ServerReflectionAlpha]);

  const rpc = createRpcAdapter({
    rpcs,
    own: (router, options) => {
      router.service(Health, health.handlers, options);
      router.service(ServerReflection, reflection, options);
      router.service(ServerReflectionAlpha, reflection as never, options);
    },
    gate,
    streams,
    transport: overrides.transport?.(clients.transport) ?? clients.transport,
    library: overrides.library,
    answers: new SessionAnswers(cookie, streams),
    budget,
    maxAnswerBytes: 8 << 20,
    messageLimits: { totalMs: config.limits.messageMs, idleMs: config.limits.messageMs },
    streamIdleMs: config.limits.transferIdleMs,
    draining: drained.signal,
  });
  const contents = new Contents({ versions: clients.versions, transfers: clients.transfers, streams, gate });
  const limits = new LimitsCache(clients.usage);

  const common = {
    https,
    rpc,
    stalled,
    maxHeaderBytes: config.connections.maxHeaderBytes,
    logger,
    newRequestId: newId,
    ended: (exchange: Exchange, durationMs: number) => requestEnded(logger, exchange, durationMs),
    requests: HttpRequests.of(telemetry),
  };
  const { address } = config.web;
  const where = overrides.portal ?? (address === undefined ? undefined : () => address);
  const portal =
    where === undefined
      ? noPortal
      : starting.use(await openPortal({ config, identity, gate, edge: common, address: where, telemetry }));
  let url = "";
  const serve = () =>
    createEdge({
      ...common,
      proxies: config.proxies,
      routes: [
        ...pages({
          readiness,
          keys: new KeySetCache(clients.tokens),
          gate,
          build: { version: config.version, build: config.build },
          publicUrl: url,
          portal: where !== undefined,
        }),
        ...downloads({ contents, gate, idleMs: config.limits.transferIdleMs }),
        ...archives({ archives: clients.archives, contents, gate, idleMs: config.limits.transferIdleMs }),
        ...uploads({
          ...clients,
          streams,
          gate,
          baseUrl: ({ host }) => config.publicUrl?.origin ?? `${https ? "https" : "http"}://${host}`,
          maxBytes: (exchange) => limits.maxBytes(exchange.requestId),
          idleMs: config.limits.transferIdleMs,
          segmentMs: 60_000,
        }),
        ...portal.routes,
      ],
    });
  let onRequest: ReturnType<typeof createEdge> = () => undefined;
  const listener = await listen(config, (request, response) => onRequest(request, response));
  url = urlOf(config, listener.address.port);
  onRequest = serve();
  starting.use(followEndings({ client: clients.userChanges, streams, logger, copies }));
  const running = starting.move();
  if (!https && !isLoopback(config.host)) insecureCookies(logger, config.host);
  listening(logger, url);

  const gauges = (): Gauges => ({
    connections: listener.connections,
    inFlight: load.inFlight,
    openStreams: streams.size,
    heldBytes: budget.held,
  });
  if (telemetry?.metrics) tellGauges(telemetry.metrics, gauges);

  return {
    url,
    port: listener.address.port,
    innerAddress: portal.innerAddress,
    gauges,
    async [Symbol.asyncDispose]() {
      draining(logger, streams.size, listener.connections);
      // In this order: nobody new is sent here, then streams go elsewhere, then what is in flight finishes.
      readiness.drain();
      health.drain();
      streams.drain();
      drained.abort(toConnectError(new AppError(Reason.RESUME), ""));
      await listener.drain(config.drainMs);
      await running.disposeAsync();
    },
  };
}

async function listen(config: GatewayConfig, onRequest: ReturnType<typeof createEdge>): Promise<Listener> {
  const { host, port, connections, proxies } = config;
  try {
    return await startListener({
      host,
      port,
      tls: config.tls,
      connections: {
        total: connections.total,
        perAddress: connections.perAddress,
        keyOf: limitKey,
        exempt: (address) => proxies.trusts(address),
      },
      http1: {
        maxHeaderBytes: connections.maxHeaderBytes,
        headersMs: connections.headersMs,
        keepAliveMs: connections.idleMs,
      },
      http2: {
        maxStreams: connections.streamsPerConnection,
        maxHeaderBytes: connections.maxHeaderBytes,
        idleMs: connections.idleMs,
        firstStreamMs: connections.firstBytesMs,
      },
      firstBytesMs: connections.firstBytesMs,
      refusal: rawRefusal,
      onRequest,
    });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why =
      code === "EADDRINUSE"
        ? "the port is taken (set PORT to another one)"
        : code === "EACCES"
          ? "this port needs more rights"
          : message;
    throw new StartError(`The edge cannot listen on ${host}:${port}: ${why}.`, { cause });
  }
}

function urlOf({ publicUrl, host, tls }: GatewayConfig, port: number): string {
  if (publicUrl !== undefined) return publicUrl.origin;
  const name =
    host === "0.0.0.0" || host === "::" || host === "127.0.0.1" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  return `${tls === undefined ? "http" : "https"}://${name}:${port}`;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
