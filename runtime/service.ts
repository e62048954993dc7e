// Starts one service of the mesh: chain, handlers, health and reflection on one gRPC port, and a drain at the end.

import type { DescService } from "@bufbuild/protobuf";
import { Health } from "@docket/contracts/gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "@docket/contracts/gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "@docket/contracts/gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { policyOf } from "@docket/contracts/policy";
import { createHealth } from "./grpc/health.ts";
import { bind, close, createServer } from "./grpc/listener.ts";
import { createReflection } from "./grpc/reflection.ts";
import { type Implementation, implement, mount } from "./grpc/server.ts";
import { chain, foreignChain, healthChain } from "./interceptors/chain.ts";
import { LiveStreams } from "./interceptors/live_streams.ts";
import type { ChainOptions } from "./interceptors/options.ts";
import { warmValidation } from "./interceptors/validation.ts";
import { ServerCalls } from "./telemetry/call_metrics.ts";

export { implement } from "./grpc/server.ts";
export { LiveStreams } from "./interceptors/live_streams.ts";

/** What a service is made from. */
export interface ServiceOptions extends Omit<ChainOptions, "liveStreams" | "calls"> {
  /** The services of the contract that it implements. */
  readonly services: readonly Implementation[];
  readonly listen: { readonly host: string; readonly port: number };
  /** Its open streams; give one to end them on a revocation. Default: one of its own. */
  readonly liveStreams?: LiveStreams;
  /** Whether it can serve; asked by health checks. Default: yes. */
  readonly ready?: () => Promise<boolean>;
  /** Whether reflection is answered. Default: true; who may ask is in the contract's table of foreign services. */
  readonly reflection?: boolean;
  /** How long calls in flight may take to finish on a drain, in milliseconds. Default: 10,000. */
  readonly drainMs?: number;
}

/** A service that listens. Disposing of it drains it first. */
export interface RunningService extends AsyncDisposable {
  /** `127.0.0.1:7102` */
  readonly address: string;
}

/** Starts a service, or throws a StartError with one sentence. */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  const { services, identity, listen, logger, liveStreams = new LiveStreams(), drainMs = 10_000 } = options;
  const { metrics } = options.telemetry ?? {};
  const descriptors = services.map(({ service }) => service);
  refuseWithoutPolicy(descriptors);
  warmValidation(descriptors);

  const server = createServer();
  const methods = descriptors.flatMap((service) => service.methods);
  const calls = metrics && new ServerCalls(metrics, methods);
  const chainOptions: ChainOptions = { ...options, liveStreams, calls };
  for (const implementation of services) mount(server, implementation, { interceptors: chain(chainOptions) });

  const health = createHealth(
    descriptors.map(({ typeName }) => typeName),
    options.ready,
  );
  mount(server, implement(Health, health.handlers), { interceptors: healthChain(chainOptions) });
  // Probes come every few seconds: they are counted, and no traces are made of them.
  const foreign = { interceptors: foreignChain({ ...chainOptions, telemetry: undefined }) };
  if (options.reflection ?? true) {
    const reflection = createReflection([...descriptors, Health]);
    mount(server, implement(ServerReflection, reflection), foreign);
    mount(server, implement(ServerReflectionAlpha, reflection as never), foreign);
  }

  const port = await bind(server, listen, identity);
  const address = `${listen.host}:${port}`;
  logger.info({ address }, "listening");
  return {
    address,
    async [Symbol.asyncDispose]() {
      // In this order: nobody new is sent here, then streams go elsewhere, then calls in flight finish.
      health.drain();
      liveStreams.drain();
      await close(server, drainMs);
      logger.info({ address }, "stopped");
    },
  };
}

/** Closed by default: what has no policy is not served. */
function refuseWithoutPolicy(services: readonly DescService[]): void {
  for (const service of services) for (const method of service.methods) policyOf(method);
}
