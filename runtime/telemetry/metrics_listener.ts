// GET /metrics, on a listener of its own that the outside never reaches. The services of one process share it.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { gzip as gzipWithCallback } from "node:zlib";
import { StartError } from "../errors.ts";
import { contentTypes, type Family, formOf, merge, write } from "./exposition.ts";

/** Somebody who has measured something. */
export interface MetricsSource {
  readonly service: string;
  collect(): Promise<Family[]>;
}

/** A place at the listener. Disposing of the last one closes it. */
export interface MetricsPlace extends AsyncDisposable {
  /** `127.0.0.1:9464` */
  readonly address: string;
}

interface Listener {
  readonly address: string;
  readonly sources: Set<MetricsSource>;
  close(): Promise<void>;
}

const gzip = promisify<string, Buffer>(gzipWithCallback);

const listeners = new Map<string, Promise<Listener>>();

/** Shows what a source has measured. Throws StartError when the port cannot be had. */
export async function exposeMetrics(
  { host, port }: { readonly host: string; readonly port: number },
  source: MetricsSource,
): Promise<MetricsPlace> {
  const key = `${host} ${port}`;
  const opening = listeners.get(key) ?? listen(host, port);
  listeners.set(key, opening);
  let listener: Listener;
  try {
    listener = await opening;
  } catch (error) {
    listeners.delete(key);
    throw error;
  }
  listener.sources.add(source);
  return {
    address: listener.address,
    async [Symbol.asyncDispose]() {
      listener.sources.delete(source);
      if (listener.sources.size > 0 || listeners.get(key) !== opening) return;
      listeners.delete(key);
      await listener.close();
    },
  };
}

async function listen(host: string, port: number): Promise<Listener> {
  const sources = new Set<MetricsSource>();
  const server = createServer(
    { headersTimeout: 5_000, requestTimeout: 5_000, keepAliveTimeout: 75_000 },
    (request, response) => {
      response.on("error", () => undefined);
      answer(request, response, sources).catch(() => response.destroy());
    },
  );
  server.maxConnections = 32;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const why = cause.code === "EADDRINUSE" ? "the port is taken (set METRICS_PORT to another one)" : cause.message;
      reject(new StartError(`Metrics cannot be served on ${host}:${port}: ${why}.`, { cause }));
    });
    server.listen({ host, port }, resolve);
  });
  // Nobody's life depends on it.
  server.unref();
  const { address, port: taken } = server.address() as AddressInfo;
  return {
    address: `${address.includes(":") ? `[${address}]` : address}:${taken}`,
    sources,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, sources: ReadonlySet<MetricsSource>) {
  const { method, url = "" } = request;
  if (url.split("?", 1)[0] !== "/metrics") return refuse(response, 404, "Here is nothing but /metrics.\n");
  if (method !== "GET" && method !== "HEAD") return refuse(response.setHeader("allow", "GET, HEAD"), 405, "GET it.\n");
  const form = formOf(request.headers.accept);
  const told = await Promise.all(
    [...sources].map(async (source) => ({ service: source.service, families: await source.collect() })),
  );
  const text = write(merge(told), form);
  // Prometheus asks for it: a series for each RPC and bucket is much of the same.
  const compressed = /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""));
  response.setHeader("vary", "accept, accept-encoding");
  if (compressed) response.setHeader("content-encoding", "gzip");
  response.writeHead(200, { "content-type": contentTypes[form], "cache-control": "no-store" });
  response.end(method === "HEAD" ? undefined : compressed ? await gzip(text) : text);
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  response.end(text);
}
