/**
 * The RPCs by what is promised of them: one class per workload and deadline, streams apart. Derived from the contract, so that a
 * new RPC, or a new deadline, needs no edit here.
 */
import { Reason, ReasonSchema } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import {
  chainReasons,
  deadlineMsOf,
  enumName,
  reasonOptions,
  statusCodes,
  workloadName,
  workloadOf,
} from "@docket/contracts/policy";
import { type Rpc, rpcs } from "@docket/contracts/registry";
import { callBuckets, shareOfDeadline } from "./objectives.ts";

/** Some RPCs of one workload, of which the same is promised. */
export interface RpcClass {
  /** The workload that serves them. */
  readonly service: string;
  /** `unary-2s`, or `stream`. */
  readonly name: string;
  /** The policy's deadline in seconds; undefined for streams. */
  readonly deadline: number | undefined;
  /** Full names, in the contract's order. */
  readonly methods: readonly string[];
}

/** All classes, by workload and then by deadline, streams last. */
export function rpcClasses(all: readonly Rpc[] = rpcs): RpcClass[] {
  const classes = new Map<string, RpcClass & { methods: string[] }>();
  for (const { name: rpc, service, method } of all) {
    const workload = workloadName(workloadOf(service));
    const deadline = method.methodKind === "unary" ? deadlineMsOf(method) / 1000 : undefined;
    const name = deadline === undefined ? "stream" : `unary-${deadline}s`;
    const key = `${workload} ${name}`;
    const known = classes.get(key) ?? { service: workload, name, deadline, methods: [] };
    known.methods.push(rpc);
    classes.set(key, known);
  }
  return [...classes.values()].sort(
    (a, b) =>
      a.service.localeCompare(b.service) ||
      (a.deadline ?? Number.POSITIVE_INFINITY) - (b.deadline ?? Number.POSITIVE_INFINITY),
  );
}

/** How long a call of this deadline may take to count as quick, in seconds: a bound of the histogram. Throws where none is low enough. */
export function thresholdOf(deadline: number): number {
  const threshold = callBuckets.findLast((bound) => bound <= deadline * shareOfDeadline);
  if (threshold === undefined) throw new Error(`no bucket is as low as a quarter of ${deadline} s`);
  return threshold;
}

/** Status codes that are our fault, whatever the caller did. */
export const faultCodes = ["UNKNOWN", "DEADLINE_EXCEEDED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"] as const;

/** Reasons of the chain that are our fault. A stream that ends with RESUME has come to its regular end. */
export const faultReasons: readonly string[] = chainReasons()
  .filter((reason) => reason !== Reason.RESUME)
  .filter((reason) => reason === Reason.OVERLOADED || isFault(reasonOptions(reason).code))
  .map((reason) => enumName(ReasonSchema, reason));

/** The reason of a stream's regular end. */
export const resume = enumName(ReasonSchema, Reason.RESUME);

function isFault(code: number): boolean {
  return faultCodes.some((name) => statusCodes[name] === code);
}

/** A regular expression of PromQL for these full names of RPCs; those of one proto service share their prefix. */
export function methodPattern(methods: readonly string[]): string {
  const byService = new Map<string, string[]>();
  for (const method of methods) {
    const [service = "", name = ""] = method.split("/");
    byService.set(service, [...(byService.get(service) ?? []), name]);
  }
  return [...byService].map(([service, names]) => `${service.replaceAll(".", "[.]")}/(${names.join("|")})`).join("|");
}
