// What the dashboards ask for in common. `$__rate_interval` is Grafana's: at least four times the time between two looks.

import { faultCodes } from "../slo/classes.ts";
import { bound } from "../slo/recording.ts";

const interval = "[$__rate_interval]";
const faults = `rpc_response_status_code=~"${faultCodes.join("|")}"`;

/** Calls per second. */
export function callRate(matchers: string, by = ""): string {
  return summed(by, `rate(rpc_server_call_duration_seconds_count{${matchers}}${interval})`);
}

/** Failures through our own fault, per second; streams that end with RESUME have not failed. */
export function faultRate(matchers: string, by = ""): string {
  const all = [matchers, faults, 'docket_reason!="RESUME"'].filter((one) => one !== "").join(",");
  return summed(by, `rate(rpc_server_call_duration_seconds_count{${all}}${interval})`);
}

/** The share of failures. */
export function faultShare(matchers: string, by = ""): string {
  const calls = callRate(matchers, by);
  return `(${faultRate(matchers, by)} or ${calls} * 0) / ${calls}`;
}

/** How long the quickest `quantile` of calls take at most, in seconds. */
export function quantile(metric: string, share: number, matchers: string, by = ""): string {
  const labels = by === "" ? "le" : `le, ${by}`;
  return `histogram_quantile(${share}, sum by (${labels}) (rate(${metric}_bucket{${matchers}}${interval})))`;
}

/** Calls per second that took longer than a bound of the histogram, in seconds. */
export function slowRate(matchers: string, seconds: number, by: string): string {
  const quick = `rate(rpc_server_call_duration_seconds_bucket{${matchers},le="${bound(seconds)}"}${interval})`;
  return `${callRate(matchers, by)} - ${summed(by, quick)}`;
}

export function rate(selector: string, by: string): string {
  return summed(by, `rate(${selector}${interval})`);
}

function summed(by: string, expr: string): string {
  return by === "" ? `sum(${expr})` : `sum by (${by}) (${expr})`;
}
