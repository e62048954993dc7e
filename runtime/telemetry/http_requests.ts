// A span and a count for each HTTP request that a process answers. The edge begins traces: it takes the ids of whoever asks,
// and decides by itself whether to record; behind it everybody does as the edge decided. Never a path, query or header.

import { callBounds } from "./bounds.ts";
import type { Metrics, Series } from "./metrics.ts";
import type { LiveSpan } from "./span.ts";
import type { Telemetry, Tracing } from "./telemetry.ts";
import { parseTraceparent } from "./traceparent.ts";

/** A request as it comes in. */
export interface IncomingRequest {
  readonly method: string;
  readonly traceparent: string | string[] | undefined;
  readonly requestId: string | undefined;
  /** Whether it comes through a proxy that is believed. */
  readonly trusted: boolean;
}

/** How it was answered. */
export interface AnsweredRequest {
  /** The route's name, or the RPC's: few, and never the path. */
  readonly route: string;
  readonly status: number;
  /** The contract's reason, where it was refused or failed. */
  readonly reason: string | undefined;
  /** Whether the client has the whole answer. */
  readonly complete: boolean;
}

/** A request under way. */
export interface RequestUnderWay {
  readonly span: LiveSpan | undefined;
  ended(answer: AnsweredRequest): void;
}

/** Anybody may invent a method; these have names. */
const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Watches the requests that a process answers. */
export class HttpRequests {
  readonly #tracing: Tracing | undefined;
  readonly #histogram: ReturnType<Metrics["histogram"]> | undefined;
  readonly #inside: boolean;
  readonly #known = new Map<string, Series>();

  /** `inside`: whoever asks is one of the mesh, and has decided already. Default: false. */
  constructor(telemetry: Telemetry, inside = false) {
    this.#tracing = telemetry.tracing;
    this.#inside = inside;
    this.#histogram = telemetry.metrics?.histogram("http.server.request.duration", {
      unit: "s",
      description: "Requests that were answered, to the end of the answer.",
      bounds: callBounds,
    });
  }

  /** Made only where there is something to tell. */
  static of(telemetry: Telemetry | undefined, inside = false): HttpRequests | undefined {
    return telemetry === undefined ? undefined : new HttpRequests(telemetry, inside);
  }

  begin({ method: given, traceparent, requestId, trusted }: IncomingRequest): RequestUnderWay {
    const started = performance.now();
    const method = methods.has(given) ? given : "_OTHER";
    const parent = parseTraceparent(typeof traceparent === "string" ? traceparent : undefined);
    const span = this.#tracing?.start(method, "server", {
      parent,
      sampled: this.#inside && parent !== undefined ? parent.sampled : this.#tracing.decide(parent, trusted),
      attributes: {
        "http.request.method": method,
        "docket.request_id": requestId,
        "docket.inside": this.#inside || undefined,
      },
    });
    return {
      span,
      ended: ({ route, status, reason, complete }) => {
        this.#series(method, route, status, reason)?.record((performance.now() - started) / 1000, span);
        if (span === undefined) return;
        span.rename(`${method} ${route}`);
        span.set({
          "http.route": route,
          "http.response.status_code": status,
          "docket.reason": reason,
          "docket.cut_short": complete ? undefined : true,
        });
        if (status >= 500) span.fail(String(status));
        span.end();
      },
    };
  }

  #series(method: string, route: string, status: number, reason = ""): Series | undefined {
    const key = `${method} ${route} ${status} ${reason}`;
    const known = this.#known.get(key);
    if (known !== undefined || this.#histogram === undefined) return known;
    const made = this.#histogram.series({
      "http.request.method": method,
      "http.route": route,
      "http.response.status_code": String(status),
      "docket.reason": reason,
    });
    this.#known.set(key, made);
    return made;
  }
}
