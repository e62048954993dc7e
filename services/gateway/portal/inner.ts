// The door for the portal's server: the published RPCs once more, for workload web only. What it says of the visitor
// (address, host, request id) is what the edge told it, so limits and the check of origins see the visitor.

import { isIP } from "node:net";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { type MeshHttpServer, startMeshHttpServer } from "@docket/runtime/http/server";
import type { Identity } from "@docket/runtime/identity/identity";
import { HttpRequests } from "@docket/runtime/telemetry/http_requests";
import type { Telemetry } from "@docket/runtime/telemetry/telemetry";
import { callerRefused, requestEnded } from "../events.ts";
import { type Forwarders, plainAddress } from "../guard/client_address.ts";
import { createEdge, type EdgeOptions } from "../http/edge.ts";

export interface InnerOptions extends Omit<EdgeOptions, "proxies" | "routes" | "ended"> {
  readonly identity: Identity;
  readonly listen: { readonly host: string; readonly port: number };
  readonly telemetry: Telemetry | undefined;
}

/** Starts it, or throws a StartError with one sentence. */
export function startInner(options: InnerOptions): Promise<MeshHttpServer> {
  const logger = options.logger.child({ via: "web" });
  const ended: EdgeOptions["ended"] = (exchange, durationMs) => requestEnded(logger, exchange, durationMs);
  const requests = HttpRequests.of(options.telemetry, true);
  return startMeshHttpServer({
    identity: options.identity,
    listen: { ...options.listen, variable: "EDGE_INNER_PORT" },
    callers: [Workload.WEB],
    onRequest: createEdge({ ...options, logger, proxies: portal, routes: [], ended, requests }),
    refused: (error) => callerRefused(logger, error),
  });
}

/** The server has judged the caller already: it is the portal, and says whom it asks for. */
const portal: Forwarders = {
  trusts: () => true,
  clientOf: (peer, forwardedFor) => {
    const client = plainAddress(forwardedFor ?? "");
    return isIP(client) === 0 ? plainAddress(peer) : client;
  },
};
