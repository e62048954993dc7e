// What a probe can be asked to do from within a pod's network, and what it answers. A probe says what it saw and judges nothing.

/** A certificate to show, by its folder (cert-chain.pem, key.pem, root-cert.pem). Without `cert` only the authority is known. */
export interface Tls {
  readonly certificates: string;
  /** Whether a client certificate is shown. Default: true. */
  readonly show?: boolean;
  /** The name asked for (SNI). */
  readonly serverName?: string;
  /** The newest protocol that is offered. Default: TLSv1.3. */
  readonly maxVersion?: "TLSv1.2" | "TLSv1.3";
}

/** One gRPC call. */
export interface RpcQuestion {
  readonly operation: "rpc";
  /** `document.docket-prod.svc.cluster.local:7102` */
  readonly target: string;
  /** `/docket.document.v1.DocumentService/GetDocument` */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Request messages, base64; each is sent at once. Default: one empty message. */
  readonly messages?: readonly string[];
  /** How long the request stays open after its messages, in milliseconds. Default: 0. */
  readonly openMs?: number;
  /** The deadline that is told (grpc-timeout), in milliseconds. Default: none. */
  readonly deadlineMs?: number;
  /** When the probe cancels, in milliseconds. Default: 10,000. */
  readonly giveUpMs?: number;
  /** TLS by the probe itself, past any sidecar of its own. Default: plaintext, as behind a sidecar. */
  readonly tls?: Tls;
  /** The address to call from; 127.0.0.6 is what a sidecar uses. */
  readonly localAddress?: string;
  /** Whether a connection of its own is made. Default: false, connections are kept. */
  readonly fresh?: boolean;
}

/** How a call went. */
export interface RpcAnswer {
  /** `failed`: no connection, or one that broke without an answer. `cancelled`: the probe gave up. */
  readonly outcome: "answered" | "failed" | "cancelled";
  readonly httpStatus?: number;
  readonly grpcStatus?: number;
  readonly grpcMessage?: string;
  /** The name of Docket's reason, where the service itself spoke. */
  readonly reason?: string;
  readonly messages: number;
  /** Milliseconds from the start to the end. */
  readonly durationMs: number;
  readonly error?: string;
}

/** One HTTP/1.1 request. */
export interface HttpQuestion {
  readonly operation: "http";
  readonly url: string;
  /** Where to connect instead of the URL's host: `10.244.0.1:8443`. */
  readonly connectTo?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The size of a body of zeros, or the body itself as base64. */
  readonly body?: number | string;
  readonly giveUpMs?: number;
  readonly tls?: Tls;
}

export interface HttpAnswer {
  readonly outcome: "answered" | "failed" | "cancelled";
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The first 16 KiB of the answer. */
  readonly text?: string;
  readonly error?: string;
  readonly durationMs: number;
}

/** A bare connection: says hello, and tells what comes from the other side within the time. */
export interface TcpQuestion {
  readonly operation: "tcp";
  readonly target: string;
  readonly tls?: Tls;
  readonly giveUpMs?: number;
}

export interface TcpAnswer {
  readonly connected: boolean;
  readonly text: string;
  readonly error?: string;
}

/** Listens until the probe ends; everybody who says something is told the greeting. */
export interface ServeQuestion {
  readonly operation: "serve";
  readonly port: number;
  readonly greeting: string;
  readonly tls?: Tls;
}

/** Many calls one after the other over one connection, for timings. */
export interface SeriesQuestion {
  readonly operation: "series";
  readonly call: RpcQuestion;
  readonly count: number;
}

export interface SeriesAnswer {
  readonly durationsMs: readonly number[];
  /** Those that did not end with status 0. */
  readonly failed: number;
  /** How the first of them ended. */
  readonly failure?: RpcAnswer;
}

export type Question =
  | RpcQuestion
  | HttpQuestion
  | TcpQuestion
  | ServeQuestion
  | SeriesQuestion
  | RefuseQuestion
  | RefusedQuestion
  | StopQuestion;

/** The answer that belongs to a question. */
export type AnswerTo<Q extends Question> = Q extends RpcQuestion
  ? RpcAnswer
  : Q extends HttpQuestion
    ? HttpAnswer
    : Q extends TcpQuestion
      ? TcpAnswer
      : Q extends SeriesQuestion
        ? SeriesAnswer
        : Q extends RefusedQuestion
          ? { readonly calls: Readonly<Record<string, number>> }
          : { readonly listening: boolean };

/** Serves gRPC on a port and answers every call with UNAVAILABLE, counting them; until {@link StopQuestion}. */
export interface RefuseQuestion {
  readonly operation: "refuse";
  readonly port: number;
}

/** How often which path was asked at a port that refuses. */
export interface RefusedQuestion {
  readonly operation: "refused";
  readonly port: number;
}

/** Ends what listens on a port. */
export interface StopQuestion {
  readonly operation: "stop";
  readonly port: number;
}
