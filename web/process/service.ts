// The portal's process: it renders pages and serves their files, to the edge and to nobody else. It knows no rules and
// keeps nothing: what a page shows it asks of the edge, with the visitor's own cookie.

import type { IncomingMessage, ServerResponse } from "node:http";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { openMeshHttpClient } from "@docket/runtime/http/client";
import { startMeshHttpServer } from "@docket/runtime/http/server";
import { type Identity, loadIdentity } from "@docket/runtime/identity/identity";
import { createLogger, type Logger } from "@docket/runtime/logger";
import { HttpRequests } from "@docket/runtime/telemetry/http_requests";
import { within } from "@docket/runtime/telemetry/span";
import { openTelemetry } from "@docket/runtime/telemetry/telemetry";
import type { WebConfig } from "./config.ts";
import { edgeFetchOf } from "./edge_fetch.ts";
import { callerRefused, draining, listening, pageFailed, requestEnded } from "./events.ts";
import { type Handler, loadHandler } from "./output.ts";

export interface WebOverrides {
  readonly identity?: Identity;
  readonly logger?: Logger;
  /** What answers. Default: the build in WEB_OUTPUT. */
  readonly handler?: Handler;
}

export interface RunningWeb extends AsyncDisposable {
  /** `127.0.0.1:7106` */
  readonly address: string;
}

/** Starts the process's server, or throws a StartError with one sentence. Disposing of it drains it first. */
export async function startWeb(config: WebConfig, overrides: WebOverrides = {}): Promise<RunningWeb> {
  const logger = overrides.logger ?? createLogger({ service: "web", level: config.logLevel });
  const handler = overrides.handler ?? (await loadHandler(config.output));
  await using starting = new AsyncDisposableStack();
  const telemetry = starting.use(await openTelemetry(config.telemetry, { service: "web", logger }));
  const requests = HttpRequests.of(telemetry, true);
  const identity =
    overrides.identity ??
    starting.use(await loadIdentity({ ...config.mesh, dataDir: config.dataDir, workload: Workload.WEB }));
  const edge = starting.use(
    openMeshHttpClient({ identity, workload: Workload.GATEWAY, address: () => config.gatewayAddress }),
  );
  const server = await startMeshHttpServer({
    identity,
    listen: { ...config.listen, variable: "WEB_PORT" },
    callers: [Workload.GATEWAY],
    open: [healthPath],
    onRequest: (request, response) => {
      if (request.url === healthPath) return answerHealth(response);
      const started = performance.now();
      const gone = new AbortController();
      const watched = requests?.begin(asBegun(request));
      response.once("close", () => {
        gone.abort();
        const route = routeOf(request);
        within(watched?.span, () => requestEnded(logger, request, response, route, performance.now() - started));
        const { statusCode: status, writableEnded: complete } = response;
        watched?.ended({ route, status, complete, reason: undefined });
      });
      asTheVisitorSent(request);
      within(watched?.span, () => {
        request.edgeFetch = edgeFetchOf(request, gone.signal, edge, config.callMs);
        answer(handler, request, response).catch((error) => {
          pageFailed(logger, request, error);
          fail(response);
        });
      });
    },
    refused: (error) => callerRefused(logger, error),
  });
  const running = starting.move();
  listening(logger, server.address);
  return {
    address: server.address,
    async [Symbol.asyncDispose]() {
      draining(logger);
      await server.drain(config.drainMs);
      await running.disposeAsync();
    },
  };
}

const healthPath = "/healthz";

function answerHealth(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" });
  response.end('{"status":"alive"}');
}

/** Only the edge calls, and it says which host the visitor addressed; pages that name themselves need that one. */
function asTheVisitorSent({ headers }: IncomingMessage): void {
  const host = headers["x-forwarded-host"];
  if (typeof host === "string") headers.host = host;
}

async function answer(handler: Handler, request: IncomingMessage, response: ServerResponse): Promise<void> {
  await handler(request, response);
}

/** Only the edge calls, and it has decided what is recorded. */
function asBegun({ method = "GET", headers }: IncomingMessage) {
  const requestId = headers["x-request-id"];
  return {
    method,
    traceparent: headers.traceparent,
    requestId: typeof requestId === "string" ? requestId : undefined,
    trusted: true,
  };
}

function routeOf({ url = "/" }: IncomingMessage): "page" | "file" {
  return url.startsWith("/_nuxt") ? "file" : "page";
}

function fail(response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(500, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" });
  response.end("The page could not be made.\n");
}
