// Plain HTTP inside the mesh, for what is no RPC: the portal's pages and what its server asks of the edge. The same
// identities as everywhere: mutual TLS by the process itself, or by the sidecar in front of it.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { TLSSocket } from "node:tls";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { workloadName } from "@docket/contracts/policy";
import { AppError, StartError } from "../errors.ts";
import { forwardedCertificateHeader } from "../identity/forwarded.ts";
import type { Identity } from "../identity/identity.ts";

/** What an HTTP server of the mesh is made from. */
export interface MeshHttpServerOptions {
  readonly identity: Identity;
  readonly listen: {
    readonly host: string;
    /** 0 takes a free one. */
    readonly port: number;
    /** The setting that an operator changes when the port is taken. */
    readonly variable: string;
  };
  /** The only workloads that are answered. */
  readonly callers: readonly Workload[];
  /** Paths that anybody may ask for, since probes have no identity. Default: none. */
  readonly open?: readonly string[];
  /** Called for each request of a caller that may ask. */
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  /** Told of each request that is refused, with CALLER_UNKNOWN or CALLER_DENIED. */
  readonly refused: (error: AppError, request: IncomingMessage) => void;
}

/** An HTTP server that listens. */
export interface MeshHttpServer {
  /** `127.0.0.1:7105` */
  readonly address: string;
  /** Takes no more connections, waits for answers under way, and cuts what is left after `graceMs`. */
  drain(graceMs: number): Promise<void>;
}

/** Longer than a client keeps an idle connection, so that none is closed just as a request sets out on it. */
const keepAliveMs = 75_000;

const limits = {
  keepAliveTimeout: keepAliveMs,
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  // What the edge takes, and what a hop adds.
  maxHeaderSize: 64 << 10,
  noDelay: true,
};

/** Starts the server, or throws a StartError with one sentence. */
export async function startMeshHttpServer(options: MeshHttpServerOptions): Promise<MeshHttpServer> {
  const { identity, listen, open = [] } = options;
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    request.on("error", () => undefined);
    response.on("error", () => undefined);
    try {
      if (!open.includes(request.url ?? "")) admit(request, identity, options.callers);
    } catch (error) {
      refuse(error, request, response, options);
      return;
    }
    options.onRequest(request, response);
  };
  const server = identity.mode === "sidecar" ? createServer(limits, serve) : tlsServer(identity, serve);
  let stopRenewing: () => void = () => undefined;
  if ("setSecureContext" in server) stopRenewing = identity.onRenewed(() => server.setSecureContext(own(identity)));
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => reject(cannotListen(listen, cause)));
    server.listen({ host: listen.host, port: listen.port }, resolve);
  });
  const host = listen.host.includes(":") ? `[${listen.host}]` : listen.host;
  return {
    address: `${host}:${(server.address() as AddressInfo).port}`,
    async drain(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // A kept-alive connection becomes idle only after its answer, so look again until all are gone.
      const sweep = setInterval(() => server.closeIdleConnections(), 50);
      const cut = setTimeout(() => server.closeAllConnections(), graceMs);
      server.closeIdleConnections();
      await closed;
      clearInterval(sweep);
      clearTimeout(cut);
      stopRenewing();
    },
  };
}

function tlsServer(identity: Identity, serve: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createTlsServer(
    { ...limits, ...own(identity), requestCert: true, rejectUnauthorized: true, minVersion: "TLSv1.3" },
    serve,
  );
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return server;
}

function own(identity: Identity): { readonly cert: string; readonly key: string; readonly ca: string } {
  const { certificate, key, ca } = identity.current();
  return { cert: certificate, key, ca };
}

/** Throws unless the other end is one of the callers. */
function admit(request: IncomingMessage, identity: Identity, callers: readonly Workload[]): void {
  const { socket, headers } = request;
  const certificate = socket instanceof TLSSocket ? socket.getPeerCertificate() : undefined;
  const forwarded = headers[forwardedCertificateHeader];
  const caller = identity.workloadOf(
    { address: socket.remoteAddress ?? "", subjectAltName: certificate?.subjectaltname ?? "" },
    new Headers(typeof forwarded === "string" ? { [forwardedCertificateHeader]: forwarded } : {}),
  );
  if (callers.includes(caller)) return;
  throw new AppError(Reason.CALLER_DENIED, { metadata: { workload: workloadName(caller) }, refusedBy: "caller" });
}

function refuse(
  error: unknown,
  request: IncomingMessage,
  response: ServerResponse,
  { refused }: MeshHttpServerOptions,
): void {
  const known = error instanceof AppError ? error : new AppError(Reason.CALLER_UNKNOWN, { cause: error });
  refused(known, request);
  response.writeHead(403, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" });
  response.end("Only certain workloads of the mesh may call here.\n");
}

function cannotListen(
  { host, port, variable }: MeshHttpServerOptions["listen"],
  cause: NodeJS.ErrnoException,
): StartError {
  const why = cause.code === "EADDRINUSE" ? `the port is taken (set ${variable} to another one)` : cause.message;
  return new StartError(`Cannot listen on ${host}:${port}: ${why}.`, { cause });
}
