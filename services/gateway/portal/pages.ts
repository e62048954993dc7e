// Everything that is no route of the edge's own goes to the portal's process: one request inside for each one outside,
// streamed, ended when the visitor goes. The edge alone says who the visitor is, and how many pages one visitor has
// made at once, since a page costs the portal far more than a file.

import type { IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { RateClass, RateClassSchema } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { enumName } from "@docket/contracts/policy";
import { AppError } from "@docket/runtime/errors";
import type { MeshHttpClient } from "@docket/runtime/http/client";
import type { Logger } from "@docket/runtime/logger";
import { traced } from "@docket/runtime/telemetry/span";
import { limitKey } from "../guard/client_address.ts";
import type { Demand, Gate } from "../guard/gate.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Route } from "../http/router.ts";
import type { Turns } from "../limits/turns.ts";
import { sendFault, wantsPage } from "./fault_page.ts";
import { headersInward, headersOutward } from "./headers.ts";

export interface PortalOptions {
  readonly client: MeshHttpClient;
  readonly gate: Gate;
  /** Whose turn it is to have a page made. */
  readonly turns: Turns;
  /** Whether browsers reach the edge by https. */
  readonly https: boolean;
  /** How long the portal has to begin an answer, in milliseconds. */
  readonly answerMs: number;
  /** How long it may say nothing within an answer, in milliseconds. */
  readonly idleMs: number;
  /** Told when the portal did not answer. */
  readonly away: (logger: Logger, error: unknown) => void;
}

/** The last route: it takes every path but those that are the edge's own in any case. */
export function portalPages(options: PortalOptions): Route {
  const handler = (exchange: Exchange) => serve(exchange, options);
  return { name: "portal", path: /^\/(?!files(?:\/|$)|\.well-known\/jwks)/, methods: { GET: handler, HEAD: handler } };
}

const page: Demand = { costClass: RateClass.READ, anonymous: true, kind: "unary" };
/** Files are the same for everybody, so nobody is asked who wants one. */
const file: Demand = { ...page, nameless: true };

async function serve(exchange: Exchange, options: PortalOptions): Promise<void> {
  let answer: IncomingMessage;
  try {
    const { subject } = await options.gate.admit(exchange, isFile(exchange.path) ? file : page);
    const client = subject?.id ?? limitKey(exchange.clientAddress);
    const leave = isMade(exchange) ? await options.turns.take(client, exchange.signal) : undefined;
    try {
      answer = await traced("portal", "client", {}, () => ask(exchange, options));
    } finally {
      // The page is made when its answer begins: who reads slowly keeps nobody waiting.
      leave?.();
    }
  } catch (error) {
    sendFault(exchange, error);
    return;
  }
  await pass(exchange, answer, options);
}

/** What the build made, and whatever has an extension. */
function isFile(path: string): boolean {
  return path.startsWith("/_nuxt") || /\/[^/]+\.[A-Za-z0-9]+$/.test(path);
}

/** Whether the portal may have to make a page, perhaps one that says that there is none. A missing file of the build is a few words. */
function isMade(exchange: Exchange): boolean {
  return !exchange.path.startsWith("/_nuxt/") || wantsPage(exchange);
}

/** What a client is told whose pages are being made, and as many more wait, as one client may have. */
export function tooManyPages(): AppError {
  return new AppError(Reason.RATE_LIMITED, {
    metadata: { class: enumName(RateClassSchema, page.costClass) },
    retryAfterMs: 1000,
    message: "You asked for more pages at once than one client may. Wait a little.",
  });
}

async function ask(exchange: Exchange, { client, https, answerMs, away }: PortalOptions): Promise<IncomingMessage> {
  const { method, request, signal } = exchange;
  try {
    return await client.send({
      method,
      path: request.url ?? "/",
      headers: headersInward(exchange, https),
      signal,
      answerMs,
    });
  } catch (cause) {
    if (signal.aborted) throw new AppError(Reason.CANCELLED, { cause });
    away(exchange.logger, cause);
    throw new AppError(Reason.UNAVAILABLE, { cause, retryAfterMs: 5000, message: "The portal does not answer." });
  }
}

async function pass(exchange: Exchange, answer: IncomingMessage, { idleMs }: PortalOptions): Promise<void> {
  const { response, method } = exchange;
  const { plain, cookies } = headersOutward(answer.headers);
  response.statusCode = answer.statusCode ?? 502;
  for (const [name, value] of plain) response.setHeader(name, value);
  for (const cookie of cookies) response.appendHeader("set-cookie", cookie);
  // What sets a cookie is one person's, whatever the portal thinks of it.
  if (response.hasHeader("set-cookie")) response.setHeader("cache-control", "no-store");
  if (method === "HEAD") {
    answer.resume();
    response.end();
    return;
  }
  const { socket } = answer;
  const stop = () => answer.destroy(new Error("The portal stopped in the middle of an answer."));
  socket.setTimeout(idleMs, stop);
  try {
    await pipeline(answer, response);
  } catch {
    // One of the two has gone; the other is cut, so that half an answer is not taken for a whole one.
    response.destroy();
  } finally {
    // The connection serves others after this one.
    socket.off("timeout", stop);
  }
}
