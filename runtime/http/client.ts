// The client's end of plain HTTP inside the mesh: requests go to one workload and to nobody else that may sit at its
// address, and an answer is a stream that is read no faster than its reader wants.

import {
  Agent,
  type AgentOptions,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestOptions,
  request as send,
} from "node:http";
import { Agent as TlsAgent, request as sendOverTls } from "node:https";
import type { Duplex } from "node:stream";
import type { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import type { Identity } from "../identity/identity.ts";

/** One request. */
export interface MeshHttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  /** Default: none. */
  readonly body?: Uint8Array | undefined;
  /** Ends the request, and its answer too. */
  readonly signal: AbortSignal;
  /** How long the answer may take to begin, in milliseconds. */
  readonly answerMs: number;
}

/** Sends requests to one workload. */
export interface MeshHttpClient extends Disposable {
  /**
   * The answer, as soon as its headers are there. Rejects with the error of the socket (ECONNREFUSED, …), with
   * ETIMEDOUT when the answer does not begin in time, with ENOENT when no address is known.
   */
  send(request: MeshHttpRequest): Promise<IncomingMessage>;
}

/** What a client is made from. */
export interface MeshHttpClientOptions {
  readonly identity: Identity;
  /** Who must be at the other end. */
  readonly workload: Workload;
  /** `host:port`, asked for each request, since a process may come back elsewhere. */
  readonly address: () => string | undefined;
  /** Connections at once; more requests wait for one. Default: 256. */
  readonly maxConnections?: number;
}

/** Shorter than a server keeps an idle connection (server.ts). */
const idleMs = 30_000;

/** Opens nothing yet. */
export function openMeshHttpClient({
  identity,
  workload,
  address,
  maxConnections = 256,
}: MeshHttpClientOptions): MeshHttpClient {
  const pool = { keepAlive: true, maxSockets: maxConnections, maxFreeSockets: 32, timeout: idleMs };
  const agent = identity.mode === "sidecar" ? new Agent(pool) : new IdentityAgent(pool, identity, workload);
  const attempt = (request: MeshHttpRequest): Promise<Attempt> => {
    const target = parseAddress(address());
    if (target === undefined) return Promise.reject(failure("ENOENT", "No address is known."));
    const options: RequestOptions = {
      ...target,
      agent,
      method: request.method,
      path: request.path,
      headers: request.headers,
      signal: request.signal,
    };
    const call = identity.mode === "sidecar" ? send(options) : sendOverTls(options);
    return new Promise((resolve) => {
      const late = setTimeout(
        () => call.destroy(failure("ETIMEDOUT", `No answer within ${request.answerMs} ms.`)),
        request.answerMs,
      );
      call.once("response", (answer) => {
        clearTimeout(late);
        resolve({ answer });
      });
      call.once("error", (error) => {
        clearTimeout(late);
        resolve({ error, again: call.reusedSocket && codeOf(error) === "ECONNRESET" });
      });
      call.end(request.body);
    });
  };
  return {
    async send(request) {
      const first = await attempt(request);
      if (first.answer !== undefined) return first.answer;
      // The other end closed an idle connection just then. What has no effects is simply asked again.
      const again = first.again && (request.method === "GET" || request.method === "HEAD");
      const second = again ? await attempt(request) : first;
      if (second.answer !== undefined) return second.answer;
      throw second.error;
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

type Attempt =
  | { readonly answer: IncomingMessage; readonly error?: undefined; readonly again?: undefined }
  | { readonly answer?: undefined; readonly error: Error; readonly again: boolean };

/** Connections of a workload to another. Each new one shows the certificate of the moment, and remembers no earlier session. */
class IdentityAgent extends TlsAgent {
  readonly #identity: Identity;
  readonly #workload: Workload;

  constructor(pool: AgentOptions, identity: Identity, workload: Workload) {
    super({ ...pool, maxCachedSessions: 0 });
    this.#identity = identity;
    this.#workload = workload;
  }

  override createConnection(options: RequestOptions, connected?: (error: Error | null, stream: Duplex) => void) {
    const { certificate, key, ca } = this.#identity.current();
    return super.createConnection(
      {
        ...options,
        cert: certificate,
        key,
        ca,
        minVersion: "TLSv1.3",
        servername: "",
        // Names are SPIFFE ids here, not host names, so Node's own check is replaced and not added to.
        checkServerIdentity: (_host: string, peer: { readonly subjectaltname?: string | undefined }) => {
          const fault = this.#identity.faultOfServer(peer.subjectaltname ?? "", this.#workload);
          return fault === undefined ? undefined : failure("ERR_TLS_CERT_ALTNAME_INVALID", fault);
        },
      } as RequestOptions,
      connected,
    );
  }
}

function parseAddress(address: string | undefined): { readonly host: string; readonly port: number } | undefined {
  const [, host, port] = /^(.+):(\d+)$/.exec(address ?? "") ?? [];
  if (host === undefined) return undefined;
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port) };
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}
