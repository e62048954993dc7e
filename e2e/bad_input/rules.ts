// Sends every request that breaks a rule, and says which were not answered as they should be.

import { create, type Message } from "@bufbuild/protobuf";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { type Rpc, rpcs } from "@docket/contracts/registry";
import type { World } from "../matrix/world.ts";
import type { Protocol } from "../person.ts";
import { type Breakage, breakagesOf } from "./break.ts";
import {
  callerOf,
  type EdgeClients,
  failureOf,
  infoOf,
  meshFailureOf,
  protocols,
  unclear,
  validRequest,
} from "./send.ts";

/** What became of all of them. */
export interface RulesReport {
  /** How many requests were sent, by where and how. */
  readonly sent: Readonly<Record<string, number>>;
  /** How many rules of how many fields they break. */
  readonly rules: number;
  readonly faults: readonly string[];
  /** Rules that no request was found for, as `<message>.<field> <rule>`. */
  readonly unbroken: ReadonlySet<string>;
}

/** One request to be sent. */
interface Job {
  readonly rpc: Rpc;
  readonly breakage: Breakage;
  readonly messages: readonly Message[];
}

/** Builds the requests of all RPCs. Done before rows are counted, since valid requests name things that must be made. */
export async function prepare(world: World): Promise<{ jobs: Job[]; unbroken: Set<string> }> {
  const jobs: Job[] = [];
  const unbroken = new Set<string>();
  for (const rpc of rpcs) {
    const { input } = rpc.method;
    const valid = (await validRequest(world, rpc)).map((init) => create(input, init as never));
    // Each message of a client stream is held against the rules by itself.
    for (const [index, message] of valid.entries()) {
      const found = breakagesOf(input, message);
      for (const breakage of found.breakages) {
        // What comes before it in the stream has a thing of its own: two writers at one upload would end each other.
        const before = index === 0 ? [] : (await validRequest(world, rpc)).slice(0, index);
        jobs.push({
          rpc,
          breakage,
          messages: [...before.map((init) => create(input, init as never)), breakage.message],
        });
      }
      for (const { field, rule } of found.unbroken) unbroken.add(`${input.name}.${field} ${rule}`);
    }
  }
  return { jobs, unbroken };
}

/** Sends them, a few side by side. */
export async function sendAll(
  world: World,
  edge: EdgeClients,
  jobs: readonly Job[],
): Promise<Omit<RulesReport, "unbroken">> {
  const sent: Record<string, number> = {};
  const faults: string[] = [];
  const waiting = jobs.entries();
  const worker = async () => {
    for (const [index, job] of waiting) {
      const way = wayOf(job, index);
      sent[way] = (sent[way] ?? 0) + 1;
      const fault = await faultOf(world, edge, job, way);
      if (fault !== undefined) faults.push(fault);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  const rules = new Set(jobs.map(({ rpc, breakage }) => `${rpc.name} ${breakage.field} ${breakage.rule}`));
  return { sent, rules: rules.size, faults };
}

/**
 * The protocols take turns. gRPC-Web has no client streams; in JSON bytes are longer, so that too many of them meet the
 * limit of the whole message first.
 */
function wayOf({ rpc: { policy, method }, breakage }: Job, index: number): Protocol | "mesh" {
  if (!policy.edge) return "mesh";
  const protocol = protocols[index % protocols.length] ?? "connect";
  if (protocol === "grpc-web" && method.methodKind === "client_streaming") return "grpc";
  return protocol === "connect-json" && breakage.rule === "bytes.max_len" ? "connect" : protocol;
}

async function faultOf(world: World, edge: EdgeClients, job: Job, way: Protocol | "mesh"): Promise<string | undefined> {
  const { rpc, breakage, messages } = job;
  const { field, rule } = breakage;
  const error =
    way === "mesh"
      ? await meshFailureOf(world, rpc, messages)
      : await failureOf(edge.of(callerOf(world, rpc).secret, way), rpc, messages);
  const told = `${rpc.name} ${field} (${rule}) over ${way}`;
  const fault = unclear(error);
  if (fault !== undefined) return `${told}: ${fault}`;
  const info = infoOf(error);
  if (info?.reason !== Reason.INVALID_ARGUMENT) return `${told}: ${error?.message}`;
  if (info.violations.some((each) => each.field === field && each.rule.startsWith(rule))) return undefined;
  return `${told}: names ${info.violations.map((each) => `${each.field} (${each.rule})`).join(", ")}`;
}
