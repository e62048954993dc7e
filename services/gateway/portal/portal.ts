// The portal as the edge has it: a process behind it that makes pages, and a door of its own for that process.

import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { openMeshHttpClient } from "@docket/runtime/http/client";
import type { Identity } from "@docket/runtime/identity/identity";
import type { Telemetry } from "@docket/runtime/telemetry/telemetry";
import type { GatewayConfig } from "../config.ts";
import { portalAway } from "../events.ts";
import type { Gate } from "../guard/gate.ts";
import type { EdgeOptions } from "../http/edge.ts";
import type { Route } from "../http/router.ts";
import { Turns } from "../limits/turns.ts";
import { startInner } from "./inner.ts";
import { portalPages, tooManyPages } from "./pages.ts";

export interface Portal extends AsyncDisposable {
  /** What goes to it; last of all routes. */
  readonly routes: readonly Route[];
  /** Where its process calls the edge; undefined where there is no portal. */
  readonly innerAddress: string | undefined;
}

export interface PortalOptions {
  readonly config: GatewayConfig;
  readonly identity: Identity;
  readonly gate: Gate;
  /** What the door has in common with the edge's own. */
  readonly edge: Omit<EdgeOptions, "proxies" | "routes">;
  /** Where the process is at the moment. */
  readonly address: () => string | undefined;
  readonly telemetry: Telemetry | undefined;
}

/** No pages but the edge's own. */
export const noPortal: Portal = {
  routes: [],
  innerAddress: undefined,
  [Symbol.asyncDispose]: async () => undefined,
};

/** Opens the door, or throws a StartError with one sentence. The process itself may come later. */
export async function openPortal(options: PortalOptions): Promise<Portal> {
  const { config, identity, gate, edge, address, telemetry } = options;
  const client = openMeshHttpClient({ identity, workload: Workload.WEB, address });
  const inner = await startInner({ ...edge, identity, listen: config.inner, telemetry });
  const { answerMs, pagesPerClient, waitingPerClient, turnMs } = config.web;
  const route = portalPages({
    client,
    gate,
    turns: new Turns({
      atOnce: pagesPerClient,
      waiting: waitingPerClient,
      waitMs: turnMs,
      refusal: tooManyPages,
    }),
    https: edge.https,
    answerMs,
    idleMs: config.limits.transferIdleMs,
    away: portalAway,
  });
  return {
    routes: [route],
    innerAddress: inner.address,
    async [Symbol.asyncDispose]() {
      await inner.drain(config.drainMs);
      client[Symbol.dispose]();
    },
  };
}
