// Rate, errors and duration of calls, from the contract: each RPC has its series from the start, so that one which nobody
// calls is seen too.

import type { DescMethod } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { type Reason, ReasonSchema } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { callersOf, enumName, rpcNameOf, statusCodes, workloadName } from "@docket/contracts/policy";
import { callBounds } from "./bounds.ts";
import type { Labels, Metrics, Observation, Series } from "./metrics.ts";
import type { LiveSpan } from "./span.ts";

const names = new Map<number, string>(Object.entries(statusCodes).map(([name, code]) => [code, name]));

/** gRPC's name of how a call ended. */
export function statusName(code: Code | undefined): string {
  return code === undefined ? "OK" : (names.get(code) ?? "UNKNOWN");
}

/** The codes by which a server says that the fault is its own, and not the caller's. */
const serverFaults: ReadonlySet<Code> = new Set([
  Code.Unknown,
  Code.DeadlineExceeded,
  Code.Unimplemented,
  Code.Internal,
  Code.Unavailable,
  Code.DataLoss,
]);

/** Whether a code means that something is wrong on this side. */
export function isServerFault(code: Code | undefined): boolean {
  return code !== undefined && serverFaults.has(code);
}

/** How a call ended. */
export interface EndOfCall {
  readonly code: Code | undefined;
  readonly seconds: number;
  readonly span: LiveSpan | undefined;
}

/** Counts the calls that a service answers. */
export class ServerCalls {
  readonly #histogram: ReturnType<Metrics["histogram"]>;
  readonly #known = new Map<string, Series>();
  readonly #open = new Map<string, number>();

  /** `methods` are all that it answers. */
  constructor(metrics: Metrics, methods: readonly DescMethod[]) {
    this.#histogram = metrics.histogram("rpc.server.call.duration", {
      unit: "s",
      description: "Calls that were answered; streams when they have ended.",
      bounds: callBounds,
    });
    for (const method of methods) {
      for (const caller of callersOf(method)) this.#series(rpcNameOf(method), caller, undefined, undefined);
      if (method.methodKind !== "unary") this.#open.set(rpcNameOf(method), 0);
    }
    metrics.gauge("docket.streams.open", { unit: "{stream}", description: "Streams that are open." }, () =>
      [...this.#open].map(([rpc, value]): Observation => ({ value, labels: { "rpc.method": rpc } })),
    );
  }

  /** A stream has begun; call what is given when it has ended, once or more often. */
  opened(rpc: string): () => void {
    this.#open.set(rpc, (this.#open.get(rpc) ?? 0) + 1);
    let open = true;
    return () => {
      if (open) this.#open.set(rpc, (this.#open.get(rpc) ?? 1) - 1);
      open = false;
    };
  }

  ended(rpc: string, caller: Workload, reason: Reason | undefined, { code, seconds, span }: EndOfCall): void {
    this.#series(rpc, caller, code, reason).record(seconds, span);
  }

  #series(rpc: string, caller: Workload, code: Code | undefined, reason: Reason | undefined): Series {
    const key = `${rpc} ${caller} ${code ?? 0} ${reason ?? 0}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = this.#histogram.series({
      ...labelsOf(rpc, code),
      "docket.caller": caller === Workload.UNSPECIFIED ? "" : workloadName(caller),
      "docket.reason": reason === undefined ? "" : enumName(ReasonSchema, reason),
    });
    this.#known.set(key, made);
    return made;
  }
}

/** Counts the calls to other services. */
export class ClientCalls {
  readonly #histogram: ReturnType<Metrics["histogram"]>;
  readonly #retries: ReturnType<Metrics["counter"]>;
  readonly #known = new Map<string, Series>();

  constructor(metrics: Metrics) {
    this.#histogram = metrics.histogram("rpc.client.call.duration", {
      unit: "s",
      description: "Calls to other services, with all attempts.",
      bounds: callBounds,
    });
    this.#retries = metrics.counter("docket.rpc.client.retries", {
      unit: "{attempt}",
      description: "Attempts beyond the first.",
    });
  }

  retried(rpc: string): void {
    this.#retries.add({ "rpc.method": rpc });
  }

  ended(rpc: string, { code, seconds, span }: EndOfCall): void {
    const key = `${rpc} ${code ?? 0}`;
    let series = this.#known.get(key);
    if (series === undefined) {
      series = this.#histogram.series(labelsOf(rpc, code));
      // There from the first call on.
      this.#retries.add({ "rpc.method": rpc }, 0);
      this.#known.set(key, series);
    }
    series.record(seconds, span);
  }
}

function labelsOf(rpc: string, code: Code | undefined): Labels {
  return { "rpc.system.name": "grpc", "rpc.method": rpc, "rpc.response.status_code": statusName(code) };
}
