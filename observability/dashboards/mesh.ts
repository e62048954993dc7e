// The mesh between the workloads, as Istio's proxies and the workloads themselves tell of it.
import type { Dashboard } from "./panel.ts";
import { callRate, rate } from "./queries.ts";

export function mesh(): Dashboard {
  const between = 'reporter="destination"';
  const pair = "{{source_workload}} → {{destination_workload}}";
  return {
    name: "mesh",
    title: "mesh",
    description:
      "Who calls whom, who is refused, and how old certificates are. The first half is Istio's, and empty without it.",
    rows: [
      {
        title: "As the proxies see it",
        panels: [
          {
            title: "Requests",
            kind: "timeseries",
            unit: "reqps",
            queries: [
              { expr: rate(`istio_requests_total{${between}}`, "source_workload, destination_workload"), legend: pair },
            ],
          },
          {
            title: "By response flag",
            kind: "timeseries",
            unit: "reqps",
            queries: [
              {
                expr: rate(
                  `istio_requests_total{${between},response_flags!="-"}`,
                  "source_workload, destination_workload, response_flags",
                ),
                legend: `${pair} {{response_flags}}`,
              },
            ],
          },
          {
            title: "Not by mutual TLS",
            description: "Must be empty.",
            kind: "timeseries",
            unit: "reqps",
            queries: [
              {
                expr: rate(
                  `istio_requests_total{${between},connection_security_policy!="mutual_tls"}`,
                  "source_workload, destination_workload",
                ),
                legend: pair,
              },
            ],
          },
          {
            title: "Certificates end in",
            kind: "timeseries",
            unit: "s",
            queries: [{ expr: "min by (service, pod) (istio_agent_cert_expiry_seconds)", legend: "{{pod}}" }],
          },
        ],
      },
      {
        title: "As the workloads see it",
        panels: [
          {
            title: "Refused callers",
            kind: "timeseries",
            unit: "reqps",
            queries: [
              {
                expr: callRate('docket_reason=~"CALLER_DENIED|CALLER_UNKNOWN"', "service, docket_caller, rpc_method"),
                legend: "{{docket_caller}} → {{rpc_method}}",
              },
            ],
          },
          {
            title: "PERMISSION_DENIED as callers saw it",
            kind: "timeseries",
            unit: "reqps",
            queries: [
              {
                expr: rate(
                  'rpc_client_call_duration_seconds_count{rpc_response_status_code="PERMISSION_DENIED"}',
                  "service, rpc_method",
                ),
                legend: "{{service}} → {{rpc_method}}",
              },
            ],
          },
          {
            title: "Attempts beyond the first",
            kind: "timeseries",
            unit: "reqps",
            queries: [
              {
                expr: rate("docket_rpc_client_retries_total", "service, rpc_method"),
                legend: "{{service}} → {{rpc_method}}",
              },
            ],
          },
          {
            title: "Redis",
            kind: "timeseries",
            unit: "short",
            queries: [{ expr: "min by (service) (docket_redis_connected)", legend: "{{service}}" }],
          },
        ],
      },
    ],
  };
}
