// The plain HTTP routes, beside the RPCs: a few, each named, each with the methods that it takes.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError } from "@docket/runtime/errors";
import type { Exchange } from "./exchange.ts";
import { sendProblem } from "./problem.ts";

export interface Route {
  /** For the log. */
  readonly name: string;
  /** Matches the whole path; named groups become parameters. */
  readonly path: RegExp;
  readonly methods: Readonly<
    Record<string, (exchange: Exchange, parameters: Readonly<Record<string, string>>) => Promise<void>>
  >;
  /** Answers OPTIONS and other methods by itself. */
  readonly otherwise?: (exchange: Exchange) => Promise<void>;
}

/** Finds the route and answers; nothing a handler throws gets past here. */
export async function serveHttp(routes: readonly Route[], exchange: Exchange): Promise<void> {
  const { outcome, response, path, method } = exchange;
  try {
    const found = routes.find((route) => route.path.test(path));
    if (found === undefined) throw new AppError(Reason.NOT_FOUND, { message: "There is nothing here." });
    outcome.route = found.name;
    const handler = found.methods[method] ?? found.otherwise;
    if (handler !== undefined) return await handler(exchange, { ...found.path.exec(path)?.groups });
    response.setHeader("allow", Object.keys(found.methods).join(", "));
    sendProblem(exchange, new AppError(Reason.MALFORMED, { message: "This method is not allowed here." }), 405);
  } catch (error) {
    report(error, exchange);
    sendProblem(exchange, error);
  }
}

function report(error: unknown, { logger }: Exchange): void {
  // Promised reasons need no line of their own; the access log has them.
  if (!(error instanceof AppError) && !isWireError(error)) logger.error({ err: error }, "request failed");
}

function isWireError(error: unknown): boolean {
  return typeof error === "object" && error !== null && "name" in error && error.name === "ConnectError";
}

/** Sends a small whole answer; HEAD gets its headers only. */
export function sendText(exchange: Exchange, type: string, text: string, status = 200): void {
  const body = Buffer.from(text);
  exchange.response.statusCode = status;
  exchange.response.setHeader("content-type", type);
  exchange.response.setHeader("content-length", String(body.byteLength));
  exchange.response.end(exchange.method === "HEAD" ? "" : body);
}

export function sendJson(exchange: Exchange, value: unknown, status = 200): void {
  sendText(exchange, "application/json; charset=utf-8", JSON.stringify(value), status);
}
