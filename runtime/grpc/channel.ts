// Channels to the other workloads, with the options that every one of them has.

import { isIP } from "node:net";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { workloadName } from "@docket/contracts/policy";
import { Client } from "@grpc/grpc-js";
import { AppError } from "../errors.ts";
import type { Identity } from "../identity/identity.ts";
import { channelCredentials } from "./credentials.ts";
import { windowBytes } from "./window.ts";

/** A connection, or several, to a workload. It connects with its first call, and again by itself. */
export type Channel = Client;

/**
 * Opens a channel. Several IP addresses, and all those that a name stands for, are balanced round robin; behind a sidecar
 * the sidecar balances. Throws UNAVAILABLE when there is no target, or when there are several of which one is a name.
 */
export function openChannel(identity: Identity, workload: Workload, targets: readonly string[]): Channel {
  const { target, balancing } = placeOf(identity, workload, targets);
  return new Client(target, channelCredentials(identity, workload), {
    "grpc.max_receive_message_length": 4 << 20,
    // So much of one stream may wait for a slow reader. The mesh is near: more would cost memory and bring no speed.
    "grpc-node.flow_control_window": windowBytes,
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 20_000,
    // Identities that share a process must not share connections.
    "grpc.use_local_subchannel_pool": 1,
    // A name for SNI, since an IP address is none (RFC 6066, section 3); who the server is, its SPIFFE id tells.
    "grpc.ssl_target_name_override": workloadName(workload),
    // Otherwise a DNS TXT record is asked for with each channel.
    "grpc.service_config_disable_resolution": 1,
    // Retries are decided by the contract, in one place.
    "grpc.enable_retries": 0,
    // Kept for a retry that never comes; beyond it a write is over when the peer has taken it, and not before.
    "grpc.per_rpc_retry_buffer_size": 64 << 10,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 2000,
    // A replica that was started again has another address.
    "grpc.dns_min_time_between_resolutions_ms": 2000,
    "grpc.service_config": JSON.stringify({
      loadBalancingConfig: [{ [balancing]: {} }],
    }),
  });
}

function placeOf(identity: Identity, workload: Workload, targets: readonly string[]) {
  const families = targets.map((target) => isIP(hostOf(target)));
  const [family = 0] = families;
  if (targets.length === 1) {
    const named = family === 0 && identity.mode !== "sidecar";
    return { target: targets[0] ?? "", balancing: named ? "round_robin" : "pick_first" };
  }
  const name = workloadName(workload);
  if (targets.length === 0) {
    throw new AppError(Reason.UNAVAILABLE, { message: `No address of ${name} is known.` });
  }
  if (family === 0 || families.some((other) => other !== family)) {
    const message = `Several addresses of ${name} must be IP addresses of one kind; a name may stand alone, for all that it resolves to.`;
    throw new AppError(Reason.UNAVAILABLE, { message });
  }
  return { target: `ipv${family}:${targets.join(",")}`, balancing: "round_robin" };
}

/** `[::1]:7101` → `::1` */
function hostOf(target: string): string {
  return target.slice(0, target.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
}
