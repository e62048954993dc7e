// The first look: are the promises kept, is everybody there, what has just gone wrong.
import { availabilityObjective, latencyObjective } from "../slo/objectives.ts";
import { recorded } from "../slo/recording.ts";
import type { Dashboard } from "./panel.ts";
import { callRate, faultRate, rate } from "./queries.ts";

export function overview(): Dashboard {
  const left = (ratio: string, objective: number) => `1 - ${ratio} / ${Number((1 - objective).toPrecision(6))}`;
  const of = "{{service}} {{rpc_class}}";
  return {
    name: "overview",
    title: "overview",
    description: "Whether the promises are kept, and who is there.",
    rows: [
      {
        title: "Promises",
        panels: [
          {
            title: "Error budget left at the pace of the last 3 days",
            description: `Available: ${availabilityObjective * 100} % of calls. Below zero the budget of 30 days will not last.`,
            kind: "table",
            unit: "percentunit",
            queries: [{ expr: `sort(${left(recorded.faultRatio("3d"), availabilityObjective)})` }],
          },
          {
            title: "Latency budget left at the pace of the last 3 days",
            description: `${latencyObjective * 100} % of unary calls within a quarter of their deadline.`,
            kind: "table",
            unit: "percentunit",
            queries: [{ expr: `sort(${left(recorded.slowRatio("3d"), latencyObjective)})` }],
          },
          {
            title: "Failed, of all calls, over an hour",
            kind: "timeseries",
            unit: "percentunit",
            limit: 14.4 * (1 - availabilityObjective),
            queries: [{ expr: recorded.faultRatio("1h"), legend: of }],
          },
          {
            title: "Slow, of all calls, over an hour",
            kind: "timeseries",
            unit: "percentunit",
            limit: 14.4 * (1 - latencyObjective),
            queries: [{ expr: recorded.slowRatio("1h"), legend: of }],
          },
        ],
      },
      {
        title: "Traffic",
        panels: [
          {
            title: "Calls",
            kind: "timeseries",
            unit: "reqps",
            queries: [{ expr: callRate("", "service"), legend: "{{service}}" }],
          },
          {
            title: "Failures by reason",
            kind: "timeseries",
            unit: "reqps",
            queries: [{ expr: faultRate("", "service, docket_reason"), legend: "{{service}} {{docket_reason}}" }],
          },
        ],
      },
      {
        title: "Processes",
        panels: [
          {
            title: "There",
            kind: "timeseries",
            unit: "short",
            width: 8,
            queries: [{ expr: "count by (service, role) (process_uptime_seconds)", legend: "{{service}} {{role}}" }],
          },
          {
            title: "Processor, in cores",
            kind: "timeseries",
            unit: "short",
            width: 8,
            queries: [{ expr: rate("process_cpu_time_seconds_total", "service"), legend: "{{service}}" }],
          },
          {
            title: "Memory of the largest",
            kind: "timeseries",
            unit: "bytes",
            width: 8,
            queries: [{ expr: "max by (service) (process_memory_usage_bytes)", legend: "{{service}}" }],
          },
          {
            title: "Event loop, 99 %",
            kind: "timeseries",
            unit: "s",
            width: 8,
            limit: 0.5,
            queries: [{ expr: "max by (service) (nodejs_eventloop_delay_p99_seconds)", legend: "{{service}}" }],
          },
          {
            title: "Connections to the database, share in use",
            kind: "timeseries",
            unit: "percentunit",
            width: 8,
            limit: 0.9,
            queries: [
              {
                expr: 'max by (service) (db_client_connection_count{db_client_connection_state="used"} / on (service, instance) group_left () db_client_connection_max)',
                legend: "{{service}}",
              },
            ],
          },
          {
            title: "Running since",
            kind: "timeseries",
            unit: "s",
            width: 8,
            queries: [{ expr: "min by (service) (process_uptime_seconds)", legend: "{{service}}" }],
          },
        ],
      },
      {
        title: "What happens",
        panels: [
          {
            title: "Events",
            kind: "timeseries",
            unit: "reqps",
            width: 24,
            queries: [{ expr: rate("docket_events_total", "service, event"), legend: "{{service}} {{event}}" }],
          },
        ],
      },
    ],
  };
}
