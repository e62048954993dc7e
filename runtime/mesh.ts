// Clients for the other services of the mesh, over mTLS. Each service lists the ones it uses in its clients.ts; those
// are its outgoing edges. Deadlines and retries come from the contract.

import { setTimeout as pause } from "node:timers/promises";
import type { DescService } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { deadlineMsOf, retriesOf, rpcNameOf, workloadName, workloadOf } from "@docket/contracts/policy";
import { headerNames } from "./call.ts";
import { AppError, reasonOf, toConnectError } from "./errors.ts";
import { type Channel, openChannel } from "./grpc/channel.ts";
import { createGrpcTransport } from "./grpc/transport.ts";
import type { Identity } from "./identity/identity.ts";
import { ClientCalls } from "./telemetry/call_metrics.ts";
import { clientSpans } from "./telemetry/client_spans.ts";
import { activeSpan } from "./telemetry/span.ts";
import type { Telemetry } from "./telemetry/telemetry.ts";

/** Where services listen: `user` → ["127.0.0.1:7101"]. Several addresses are balanced round robin. */
export type Addresses = Readonly<Record<string, readonly string[]>>;

/** What a mesh is made from. */
export interface MeshOptions {
  readonly identity: Identity;
  /** Read at each first use of a service, so that a service may be started after its callers. */
  readonly addresses: Addresses;
  /** Where calls are traced and counted. Default: nowhere. */
  readonly telemetry?: Telemetry | undefined;
}

/** The other services, as seen from one. */
export interface Mesh extends AsyncDisposable {
  /** A typed client of a service; the workload that serves it follows from its package. */
  client<Service extends DescService>(service: Service): Client<Service>;
  /** The transport beneath, for callers that work on descriptors. */
  transport(service: DescService): Transport;
}

/** Opens nothing yet: a channel connects with its first call, and again by itself. */
export function connectMesh({ identity, addresses, telemetry }: MeshOptions): Mesh {
  const calls = telemetry?.metrics && new ClientCalls(telemetry.metrics);
  const watching = telemetry === undefined ? [] : [clientSpans(calls)];
  // Retries live in one layer: behind a sidecar in its routes, which are made from the same policies.
  const retrying = identity.mode === "sidecar" ? [] : [retries(calls)];
  const interceptors = [...watching, deadlines, ...retrying];
  const channels = new Map<Workload, Channel>();
  const transports = new Map<Workload, Transport>();
  const channelOf = (workload: Workload) => {
    const known = channels.get(workload);
    if (known !== undefined) return known;
    const channel = openChannel(identity, workload, addresses[workloadName(workload)] ?? []);
    channels.set(workload, channel);
    return channel;
  };
  const transport = (service: DescService) => {
    const workload = workloadOf(service);
    const known = transports.get(workload);
    if (known !== undefined) return known;
    const made = createGrpcTransport({ client: () => channelOf(workload), interceptors });
    transports.set(workload, made);
    return made;
  };
  return {
    transport,
    client: (service) => createClient(service, transport(service)),
    async [Symbol.asyncDispose]() {
      for (const channel of channels.values()) channel.close();
    },
  };
}

/** Every unary call has a deadline: the contract's, or what its caller has left when that is less. */
const deadlines: Interceptor = (next) => async (request) => {
  if (request.stream) return await next(request);
  const limit = AbortSignal.timeout(deadlineMsOf(request.method));
  try {
    return await next({ ...request, signal: AbortSignal.any([request.signal, limit]) });
  } catch (error) {
    // A deadline that passes in the mesh may surface as CANCELLED or UNAVAILABLE; who knows its own says so.
    if (limit.aborted || deadlinePassed(request.signal)) {
      throw toConnectError(
        new AppError(Reason.DEADLINE_EXCEEDED, { cause: error }),
        request.header.get(headerNames.requestId) ?? "",
      );
    }
    throw error;
  }
};

/** Tries idempotent calls again, when the server was away or gave way to another transaction. */
function retries(calls: ClientCalls | undefined): Interceptor {
  return (next) => async (request) => {
    const attempts = request.stream ? 0 : retriesOf(request.method);
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await next(request);
      } catch (error) {
        if (attempt >= attempts || request.signal.aborted || !retryable(error)) throw error;
        activeSpan()?.event("tried again", { "docket.attempt": attempt + 1 });
        calls?.retried(rpcNameOf(request.method));
        // Only an abort makes the pause fail, and then the next try says so.
        await pause(Math.min(1000, 50 * 2 ** attempt) * (0.5 + Math.random()), undefined, {
          signal: request.signal,
        }).catch(() => undefined);
      }
    }
  };
}

function retryable(error: unknown): boolean {
  if (reasonOf(error) === Reason.RESUME) return false;
  return error instanceof ConnectError && error.code === Code.Unavailable;
}

function deadlinePassed(signal: AbortSignal): boolean {
  return signal.aborted && ConnectError.from(signal.reason).code === Code.DeadlineExceeded;
}
