// Which traces the Collector keeps: those that failed, those with a call that took longer than its threshold, and a share of the rest.
import { stringify } from "yaml";
import { methodPattern, rpcClasses, thresholdOf } from "./classes.ts";

/** A file for the Collector, to be read after collector/collector.yaml. Streams are never slow: how long one lasts says nothing. */
export function samplingFile(notice: string): string {
  const policies = [
    { name: "failed", type: "status_code", status_code: { status_codes: ["ERROR"] } },
    { name: "slow", type: "ottl_condition", ottl_condition: { error_mode: "ignore", span: slowConditions() } },
    {
      name: "some-of-the-rest",
      type: "probabilistic",
      probabilistic: { sampling_percentage: $env("TRACE_PERCENTAGE", "5") },
    },
  ];
  return `${notice}\n${stringify({ processors: { tail_sampling: { policies } } }, { lineWidth: 0 })}`;
}

function slowConditions(): string[] {
  const byThreshold = new Map<number, string[]>();
  for (const { deadline, methods } of rpcClasses()) {
    if (deadline === undefined) continue;
    const threshold = thresholdOf(deadline);
    byThreshold.set(threshold, [...(byThreshold.get(threshold) ?? []), ...methods]);
  }
  return [...byThreshold]
    .sort(([a], [b]) => a - b)
    .map(([seconds, methods]) => {
      const took = `span.end_time_unix_nano - span.start_time_unix_nano > ${seconds * 1e9}`;
      return `${took} and IsMatch(span.attributes["rpc.method"], "^(${methodPattern(methods)})$")`;
    });
}

/** A variable that the Collector reads at its start. */
function $env(name: string, otherwise: string): string {
  return `\${env:${name}:-${otherwise}}`;
}
