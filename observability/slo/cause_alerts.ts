// The alerts that name a cause, few of them: what no budget shows (refused callers, damaged data, an expiring certificate), and
// what shows in a budget only when it is too late (queues, pools, lag).

import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { workloadName, workloads } from "@docket/contracts/policy";
import { rpcs } from "@docket/contracts/registry";
import { demandOf } from "@docket/mesh/call_graph";
import { methodPattern, resume } from "./classes.ts";
import type { Alert } from "./rule.ts";

/** Workloads that run as processes of ours; the ingress is Envoy, the operator a person. */
export const processes: readonly string[] = workloads
  .filter((workload) => workload !== Workload.INGRESS && workload !== Workload.OPERATOR)
  .map(workloadName);

export function causeAlerts(): Alert[] {
  return [
    ...processes.map(absence),
    ...meshAlerts(),
    ...processAlerts(),
    ...workAlerts(),
    ...streamAlerts(),
    telemetryLost,
    heartbeat,
  ];
}

/** One rule for each, since what is not there has no labels. Not `up`: that is the sidecar's, which outlives the process. */
function absence(service: string): Alert {
  return {
    name: "ServiceAbsent",
    severity: "page",
    expr: `absent(process_uptime_seconds{service="${service}",role="server"})`,
    for: "5m",
    labels: { service },
    summary: `No server of ${service} is there`,
    description: "Prometheus has heard of none of them for five minutes: they are all down, or it cannot reach them.",
  };
}

/** What keys may not call, or persons: there the proxy refuses what a client does wrong, and that wakes nobody. */
function choosy(): string {
  const names = rpcs
    .filter(({ method }) => ["person", "application"].includes(demandOf(method)))
    .map(({ name }) => name);
  return names.length === 0 ? "" : `,rpc_method!~"${methodPattern(names)}"`;
}

function meshAlerts(): Alert[] {
  const denied = (side: string) =>
    `sum by (rpc_method) (increase(rpc_${side}_call_duration_seconds_count{rpc_response_status_code="PERMISSION_DENIED"${choosy()}}[15m]))`;
  const calls = "sum by (rpc_method) (increase(rpc_client_call_duration_seconds_count[15m]))";
  return [
    {
      name: "CallsRefusedInMesh",
      severity: "page",
      // What the caller saw refused and the service never met was refused by a proxy; the rest says so itself.
      expr: [
        `${denied("client")} - (${denied("server")} or ${calls} * 0) > 5`,
        `sum by (rpc_method) (increase(rpc_server_call_duration_seconds_count{docket_reason=~"CALLER_DENIED|CALLER_UNKNOWN"}[15m])) > 5`,
      ].join("\nor\n"),
      for: "5m",
      summary: "{{ $labels.rpc_method }}: a workload is refused",
      description:
        "A policy of the mesh and the contract disagree, or a workload calls what it may not. No budget counts this.",
    },
    {
      name: "CertificateExpiring",
      severity: "page",
      expr: "min by (service, pod) (istio_agent_cert_expiry_seconds) < 4 * 3600",
      for: "15m",
      summary: "{{ $labels.pod }}: its certificate ends in {{ $value | humanizeDuration }}",
      description:
        "Certificates last a day and are renewed after half of it. This one was not, and its workload will be refused.",
    },
  ];
}

function processAlerts(): Alert[] {
  return [
    {
      name: "ProcessesRestart",
      severity: "ticket",
      expr: "sum by (service) (resets(process_uptime_seconds[1h])) >= 3",
      summary: "{{ $labels.service }}: {{ $value }} restarts within an hour",
      description: "Processes end by themselves, or are killed: out of memory, a liveness probe, a defect.",
    },
    {
      name: "DatabasePoolExhausted",
      severity: "ticket",
      expr: "max by (service, instance) (min_over_time(db_client_connection_pending_requests[5m])) > 0",
      for: "5m",
      summary: "{{ $labels.service }}: statements wait for a connection",
      description:
        "Some statement has been waiting for a connection at every look for ten minutes. Calls become slow, then fail.",
    },
    {
      name: "RedisAway",
      severity: "ticket",
      expr: "min by (service) (docket_redis_connected) == 0",
      for: "10m",
      summary: "{{ $labels.service }}: Redis is away",
      description:
        "Nothing is refused: sessions are asked for once a second, rate limits count per process, wake-ups become polls.",
    },
    {
      name: "DataDamaged",
      severity: "page",
      expr: `sum by (service, event) (increase(docket_events_total{event=~"blob_corrupt|piece_corrupt|reference_missing"}[1h])) > 0`,
      keepFiringFor: "1h",
      summary: "{{ $labels.service }}: {{ $labels.event }}",
      description: "Bytes are not what they were, or are not there. Nothing repairs this by itself.",
    },
  ];
}

function workAlerts(): Alert[] {
  return [
    {
      name: "QueueOverdue",
      severity: "ticket",
      expr: "max by (service, queue) (docket_queue_oldest_seconds) > 300",
      for: "10m",
      summary:
        "{{ $labels.service }}: the oldest job of {{ $labels.queue }} is overdue by {{ $value | humanizeDuration }}",
      description: "Workers are away or too few, or one job holds up the others.",
    },
    {
      name: "DeadLetters",
      severity: "ticket",
      expr: `max by (service, queue) (docket_queue_jobs{state="dead"}) > 0`,
      for: "15m",
      summary: "{{ $labels.service }}: {{ $value }} jobs of {{ $labels.queue }} have failed for good",
      description: "They were tried for about a day. Somebody must run them again or discard them.",
    },
    {
      name: "WebhooksDisabled",
      severity: "ticket",
      expr: `sum(increase(docket_events_total{event="webhook_disabled"}[6h])) >= 3 or sum(increase(docket_events_total{event="secrets_unreadable"}[1h])) > 0`,
      summary: "Webhooks are being disabled, or cannot be signed",
      description:
        "One that is disabled is its receiver's matter. Several at once are ours: the way out, names, the clock, the secrets' key.",
    },
  ];
}

function streamAlerts(): Alert[] {
  const ends = `sum by (service) (rate(rpc_server_call_duration_seconds_count{docket_reason="${resume}"}[5m]))`;
  return [
    {
      name: "ChangesLate",
      severity: "ticket",
      // Streams of clients may be as far behind as their clients like; ours may not.
      expr: `max(docket_change_lag_seconds{consumer="webhooks"}) > 120`,
      for: "10m",
      summary: "Webhooks are told of changes {{ $value | humanizeDuration }} late",
      description: "The integration service does not keep up with the log of changes, or does not reach it.",
    },
    {
      name: "StreamsResumeTooOften",
      severity: "ticket",
      // Streams end with RESUME at their token's end, after some minutes. Ending after less than one is a storm.
      expr: `${ends} > 0.2 and ${ends} / clamp_min(sum by (service) (docket_streams_open), 1) > 1 / 60`,
      for: "10m",
      summary: "{{ $labels.service }}: streams last less than a minute",
      description: "Every reopened stream asks for its places and its access again, so that this feeds on itself.",
    },
  ];
}

/** Nobody of Docket's users notices; who looks for a trace does. */
const telemetryLost: Alert = {
  name: "TelemetryLost",
  severity: "ticket",
  expr: ["spans", "metric_points", "log_records"]
    .map((what) => `sum by (exporter) (rate(otelcol_exporter_send_failed_${what}[10m])) > 0`)
    .join("\nor\n"),
  for: "15m",
  summary: "The Collector cannot deliver to {{ $labels.exporter }}",
  description:
    "What it has is dropped after five minutes. Prometheus' own measurements and these alerts do not depend on it.",
};

/** Always there: who hears nothing of it knows that nothing else would be heard either. */
const heartbeat: Alert = {
  name: "Watchdog",
  severity: "none",
  expr: "vector(1)",
  summary: "Prometheus and Alertmanager work",
  description: "It goes to a service outside that tells when it stops coming.",
};
