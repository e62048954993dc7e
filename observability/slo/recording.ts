// The recorded ratios that the SLO alerts and the dashboards read: per workload and class how many calls there are, how many
// fail through our fault and how many are slow, over five minutes; and from these the ratios over longer windows.
import { faultCodes, faultReasons, methodPattern, type RpcClass, resume, rpcClasses, thresholdOf } from "./classes.ts";
import { recordingSeconds, type Window, windowSeconds } from "./objectives.ts";
import type { RecordingRule, RuleGroup } from "./rule.ts";

/** The names of what is recorded. */
export const recorded = {
  calls: "docket:calls:rate5m",
  faults: "docket:faults:rate5m",
  slow: "docket:slow:rate5m",
  faultRatio: (window: Window) => `docket:fault_ratio:${window}`,
  slowRatio: (window: Window) => `docket:slow_ratio:${window}`,
} as const;

/** The class of requests to the edge over plain HTTP and Connect. */
export const edgeClass = { service: "gateway", name: "http" } as const;

export function recordingGroups(): RuleGroup[] {
  const classes = rpcClasses();
  const interval = `${recordingSeconds}s`;
  return [
    { name: "docket-calls", interval, rules: [...classes.flatMap(callRules), ...edgeRules()] },
    { name: "docket-ratios", interval, rules: (Object.keys(windowSeconds) as Window[]).flatMap(ratioRules) },
  ];
}

function callRules(rpcClass: RpcClass): RecordingRule[] {
  return rpcClass.deadline === undefined
    ? streamRules(rpcClass)
    : unaryRules(rpcClass.service, rpcClass.name, rpcClass.methods, rpcClass.deadline);
}

/** As the callers see it, so that a service that is away counts as failing: by itself it would count nothing. */
function unaryRules(service: string, name: string, methods: readonly string[], deadline: number): RecordingRule[] {
  const of = `rpc_method=~"${methodPattern(methods)}"`;
  const count = "rpc_client_call_duration_seconds_count";
  const bucket = "rpc_client_call_duration_seconds_bucket";
  const all = rateOf(count, of);
  const quick = rateOf(bucket, of, `le="${bound(thresholdOf(deadline))}"`);
  return [
    ...counted(service, name, all, rateOf(count, of, `rpc_response_status_code=~"${faultCodes.join("|")}"`)),
    rule(recorded.slow, `${all} - ${quick}`, service, name),
  ];
}

/** As the service sees it: only there is the reason known, and RESUME is no failure. How long a stream lasts says nothing. */
function streamRules({ service, name, methods }: RpcClass): RecordingRule[] {
  const of = `rpc_method=~"${methodPattern(methods)}"`;
  const count = "rpc_server_call_duration_seconds_count";
  const fault = `rpc_response_status_code=~"${faultCodes.join("|")}",docket_reason!="${resume}"`;
  return counted(service, name, rateOf(count, of), rateOf(count, of, fault));
}

/** gRPC and streams fail with status 200, so the reason decides where there is one. */
function edgeRules(): RecordingRule[] {
  const count = "http_server_request_duration_seconds_count";
  const of = `service="gateway"`;
  const reasons = faultReasons.join("|");
  const named = rateOf(count, of, `docket_reason=~"${reasons}"`);
  const unnamed = rateOf(count, of, `http_response_status_code=~"5..",docket_reason!~"${reasons}|${resume}"`);
  const faults = `(${named} or vector(0)) + (${unnamed} or vector(0))`;
  return counted(edgeClass.service, edgeClass.name, rateOf(count, of), faults);
}

function counted(service: string, name: string, all: string, faults: string): RecordingRule[] {
  // Nothing has failed yet: there is no such series, and the ratio is 0, not unknown.
  const none = `sum(${recorded.calls}{service="${service}",rpc_class="${name}"}) * 0`;
  return [rule(recorded.calls, all, service, name), rule(recorded.faults, `(${faults}) or (${none})`, service, name)];
}

function rule(record: string, expr: string, service: string, rpcClass: string): RecordingRule {
  return { record, expr, labels: { service, rpc_class: rpcClass } };
}

function rateOf(metric: string, ...matchers: string[]): string {
  return `sum(rate(${metric}{${matchers.join(",")}}[5m]))`;
}

/** Averages of rates, not of ratios: a quiet hour weighs as little as it has calls. Nothing called is no ratio. */
function ratioRules(window: Window): RecordingRule[] {
  const over = (metric: string) => (window === "5m" ? metric : `avg_over_time(${metric}[${window}])`);
  return [
    { record: recorded.faultRatio(window), expr: `${over(recorded.faults)} / (${over(recorded.calls)} > 0)` },
    { record: recorded.slowRatio(window), expr: `${over(recorded.slow)} / (${over(recorded.calls)} > 0)` },
  ];
}

/** A bound of a bucket as /metrics writes it. */
export function bound(seconds: number): string {
  return Number.isInteger(seconds) ? seconds.toFixed(1) : String(seconds);
}
