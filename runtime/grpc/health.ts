// The gRPC health protocol. A drain is visible here before anything else changes.

import type { ServiceImpl } from "@connectrpc/connect";
import {
  type Health,
  HealthCheckResponse_ServingStatus as Status,
} from "@docket/contracts/gen/grpc/health/v1/health_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError } from "../errors.ts";

/** What a server says of its health. */
export interface HealthState {
  readonly handlers: ServiceImpl<typeof Health>;
  /** Says NOT_SERVING from now on, to those who ask and to those who watch. */
  drain(): void;
}

/**
 * Health of the server as a whole ("") and of each service by name.
 * @param ready is asked at each check; false means NOT_SERVING. Default: always ready.
 */
export function createHealth(
  serviceNames: readonly string[],
  ready: () => Promise<boolean> = async () => true,
): HealthState {
  const names = new Set(["", ...serviceNames]);
  let draining = false;
  const changed = new Set<() => void>();
  const statusOf = async (name: string) => {
    if (!names.has(name)) return Status.SERVICE_UNKNOWN;
    return !draining && (await ready()) ? Status.SERVING : Status.NOT_SERVING;
  };
  return {
    drain() {
      draining = true;
      for (const wake of changed) wake();
    },
    handlers: {
      async check({ service }) {
        const status = await statusOf(service);
        if (status === Status.SERVICE_UNKNOWN)
          throw new AppError(Reason.NOT_FOUND, { metadata: { kind: "service", id: service } });
        return { status };
      },
      async *watch({ service }, { signal }) {
        let last: Status | undefined;
        while (!signal.aborted) {
          const status = await statusOf(service);
          if (status !== last) yield { status };
          last = status;
          // The last word; an open watch would hold the drain up.
          if (draining) return;
          await new Promise<void>((resolve) => {
            // Readiness has no event of its own, so it is looked at again from time to time.
            const timer = setTimeout(done, 1000);
            function done() {
              clearTimeout(timer);
              changed.delete(done);
              signal.removeEventListener("abort", done);
              resolve();
            }
            changed.add(done);
            signal.addEventListener("abort", done, { once: true });
          });
        }
      },
    },
  };
}
