// What goes on behind the calls: queues and their workers, streams and the log of changes.
import type { Dashboard } from "./panel.ts";
import { quantile, rate } from "./queries.ts";

const queue = "{{service}} {{queue}}";

export function queues(): Dashboard {
  const jobs = (state: string) => `max by (service, queue) (docket_queue_jobs{state="${state}"})`;
  return {
    name: "queues",
    title: "queues and workers",
    description:
      "Jobs in the databases, and how their runs end. Every process tells the same numbers of jobs, so the largest counts.",
    rows: [
      {
        title: "Waiting",
        panels: [
          {
            title: "Oldest job is overdue by",
            kind: "timeseries",
            unit: "s",
            limit: 300,
            queries: [{ expr: "max by (service, queue) (docket_queue_oldest_seconds)", legend: queue }],
          },
          { title: "Pending", kind: "timeseries", unit: "short", queries: [{ expr: jobs("pending"), legend: queue }] },
          { title: "Running", kind: "timeseries", unit: "short", queries: [{ expr: jobs("running"), legend: queue }] },
          {
            title: "Dead",
            kind: "timeseries",
            unit: "short",
            limit: 1,
            queries: [{ expr: jobs("dead"), legend: queue }],
          },
        ],
      },
      {
        title: "Runs",
        panels: [
          {
            title: "By outcome",
            kind: "timeseries",
            unit: "reqps",
            queries: [
              {
                expr: rate("docket_job_duration_seconds_count", "service, queue, outcome"),
                legend: `${queue} {{outcome}}`,
              },
            ],
          },
          {
            title: "Duration, 99 %",
            kind: "timeseries",
            unit: "s",
            queries: [{ expr: quantile("docket_job_duration_seconds", 0.99, "", "service, queue"), legend: queue }],
          },
        ],
      },
    ],
  };
}

export function changes(): Dashboard {
  const ends = "rpc_server_call_duration_seconds_count";
  return {
    name: "changes",
    title: "streams and changes",
    description: "Who is told what changes, how late, and how often streams begin anew.",
    rows: [
      {
        title: "Lag",
        panels: [
          {
            title: "Slowest reader of the log",
            kind: "timeseries",
            unit: "s",
            queries: [
              { expr: "max by (service, consumer) (docket_change_lag_seconds)", legend: "{{service}} {{consumer}}" },
            ],
          },
          {
            title: "Webhooks",
            kind: "timeseries",
            unit: "reqps",
            queries: [{ expr: rate('docket_events_total{service="integration"}', "event"), legend: "{{event}}" }],
          },
        ],
      },
      {
        title: "Streams",
        panels: [
          {
            title: "Open",
            kind: "timeseries",
            unit: "short",
            queries: [{ expr: "sum by (service, rpc_method) (docket_streams_open)", legend: "{{rpc_method}}" }],
          },
          {
            title: "Ended with RESUME",
            kind: "timeseries",
            unit: "reqps",
            queries: [
              { expr: rate(`${ends}{docket_reason="RESUME"}`, "service, rpc_method"), legend: "{{rpc_method}}" },
            ],
          },
          {
            title: "RESUMEs per open stream",
            description: "One in some minutes is the end of a token. One in less than a minute is a storm.",
            kind: "timeseries",
            unit: "reqps",
            limit: 1 / 60,
            queries: [
              {
                expr: `${rate(`${ends}{docket_reason="RESUME"}`, "service")} / clamp_min(sum by (service) (docket_streams_open), 1)`,
                legend: "{{service}}",
              },
            ],
          },
          {
            title: "At the edge",
            kind: "timeseries",
            unit: "short",
            queries: [{ expr: "sum(docket_edge_streams_open)", legend: "streams and transfers" }],
          },
        ],
      },
    ],
  };
}
