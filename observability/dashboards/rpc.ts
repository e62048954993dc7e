// Rate, errors and duration of each service's RPCs, class by class with the threshold of each, and of one RPC alone.
import { methodPattern, type RpcClass, rpcClasses, thresholdOf } from "../slo/classes.ts";
import type { Dashboard, Panel, Row } from "./panel.ts";
import { callRate, faultRate, faultShare, quantile, rate, slowRate } from "./queries.ts";

const calls = "rpc_server_call_duration_seconds";
const method = "{{rpc_method}}";

/** One for each workload that serves RPCs. */
export function serviceDashboards(): Dashboard[] {
  return [...Map.groupBy(rpcClasses(), ({ service }) => service)].map(([service, classes]) => ({
    name: `service-${service}`,
    title: service,
    description: `Rate, errors and duration of the RPCs that ${service} serves, by what their policies allow them.`,
    rows: [summary(service), ...classes.map((rpcClass) => rowOf(service, rpcClass)), below(service)],
  }));
}

function summary(service: string): Row {
  const of = `service="${service}"`;
  return {
    title: "All of it",
    panels: [
      {
        title: "Calls by caller",
        kind: "timeseries",
        unit: "reqps",
        width: 8,
        queries: [{ expr: callRate(of, "docket_caller"), legend: "{{docket_caller}}" }],
      },
      {
        title: "Answers that are not OK",
        kind: "timeseries",
        unit: "reqps",
        width: 8,
        queries: [
          {
            expr: callRate(`${of},rpc_response_status_code!="OK"`, "rpc_response_status_code, docket_reason"),
            legend: "{{rpc_response_status_code}} {{docket_reason}}",
          },
        ],
      },
      {
        title: "Failures through our fault",
        kind: "timeseries",
        unit: "percentunit",
        width: 8,
        limit: 0.001,
        queries: [{ expr: faultShare(of), legend: service }],
      },
    ],
  };
}

function rowOf(service: string, rpcClass: RpcClass): Row {
  const { name, deadline, methods } = rpcClass;
  const of = `service="${service}",rpc_method=~"${methodPattern(methods)}"`;
  const common: Panel[] = [
    {
      title: "Calls",
      kind: "timeseries",
      unit: "reqps",
      width: 8,
      queries: [{ expr: callRate(of, "rpc_method"), legend: method }],
    },
    {
      title: "Failures",
      kind: "timeseries",
      unit: "reqps",
      width: 8,
      queries: [{ expr: faultRate(of, "rpc_method, docket_reason"), legend: `${method} {{docket_reason}}` }],
    },
  ];
  if (deadline === undefined) {
    const open = `sum by (rpc_method) (docket_streams_open{${of}})`;
    return {
      title: "Streams",
      panels: [
        ...common,
        { title: "Open", kind: "timeseries", unit: "short", width: 8, queries: [{ expr: open, legend: method }] },
      ],
    };
  }
  const threshold = thresholdOf(deadline);
  return {
    title: `${name}: ${methods.length} RPCs, slow after ${threshold} s`,
    panels: [
      ...common,
      {
        title: "Duration, 99 %",
        kind: "timeseries",
        unit: "s",
        width: 8,
        limit: threshold,
        exemplars: true,
        queries: [{ expr: quantile(calls, 0.99, of, "rpc_method"), legend: method }],
      },
      {
        title: "RPCs with slow calls, per second",
        kind: "table",
        unit: "reqps",
        width: 24,
        height: 6,
        queries: [{ expr: `topk(10, ${slowRate(of, threshold, "rpc_method")} > 0)` }],
      },
    ],
  };
}

function below(service: string): Row {
  const of = `service="${service}"`;
  return {
    title: "What it needs",
    panels: [
      {
        title: "Calls to others, 99 %",
        kind: "timeseries",
        unit: "s",
        width: 8,
        queries: [{ expr: quantile("rpc_client_call_duration_seconds", 0.99, of, "rpc_method"), legend: method }],
      },
      {
        title: "Statements, 99 %",
        kind: "timeseries",
        unit: "s",
        width: 8,
        queries: [
          {
            expr: quantile("db_client_operation_duration_seconds", 0.99, of, "db_operation_name"),
            legend: "{{db_operation_name}}",
          },
        ],
      },
      {
        title: "Attempts beyond the first",
        kind: "timeseries",
        unit: "reqps",
        width: 8,
        queries: [{ expr: rate(`docket_rpc_client_retries_total{${of}}`, "rpc_method"), legend: method }],
      },
    ],
  };
}

/** Any one RPC. */
export function oneRpc(): Dashboard {
  const of = 'rpc_method="$rpc_method"';
  return {
    name: "rpc",
    title: "one RPC",
    description: "Everything about one RPC: who calls it, how it ends, how long it takes on both sides.",
    variables: [{ name: "rpc_method", label: "RPC", query: `label_values(${calls}_count, rpc_method)` }],
    rows: [
      {
        title: "$rpc_method",
        panels: [
          {
            title: "Calls by caller",
            kind: "timeseries",
            unit: "reqps",
            queries: [{ expr: callRate(of, "docket_caller"), legend: "{{docket_caller}}" }],
          },
          {
            title: "Answers",
            kind: "timeseries",
            unit: "reqps",
            queries: [
              {
                expr: callRate(of, "rpc_response_status_code, docket_reason"),
                legend: "{{rpc_response_status_code}} {{docket_reason}}",
              },
            ],
          },
          {
            title: "Duration as it is served",
            kind: "timeseries",
            unit: "s",
            exemplars: true,
            queries: [0.5, 0.9, 0.99].map((share) => ({
              expr: quantile(calls, share, of),
              legend: `${share * 100} %`,
            })),
          },
          {
            title: "Duration as its callers see it, retries and mesh included",
            kind: "timeseries",
            unit: "s",
            exemplars: true,
            queries: [0.5, 0.9, 0.99].map((share) => ({
              expr: quantile("rpc_client_call_duration_seconds", share, of, "service"),
              legend: `{{service}} ${share * 100} %`,
            })),
          },
          {
            title: "Attempts beyond the first",
            kind: "timeseries",
            unit: "reqps",
            queries: [{ expr: rate(`docket_rpc_client_retries_total{${of}}`, "service"), legend: "{{service}}" }],
          },
          {
            title: "Open, where it is a stream",
            kind: "timeseries",
            unit: "short",
            queries: [{ expr: `sum by (service) (docket_streams_open{${of}})`, legend: "{{service}}" }],
          },
        ],
      },
    ],
  };
}
