// The edge as people and client applications meet it, and what it has in hand.
import type { Dashboard } from "./panel.ts";
import { quantile, rate } from "./queries.ts";

const requests = "http_server_request_duration_seconds";

export function edge(): Dashboard {
  const of = 'service="gateway"';
  return {
    name: "edge",
    title: "edge",
    description:
      "Requests to the gateway by route, how they end, and what the gateway has in hand. The portal's own are at the end.",
    rows: [
      {
        title: "Requests",
        panels: [
          {
            title: "By route",
            kind: "timeseries",
            unit: "reqps",
            queries: [{ expr: rate(`${requests}_count{${of}}`, "http_route"), legend: "{{http_route}}" }],
          },
          {
            title: "By status",
            kind: "timeseries",
            unit: "reqps",
            queries: [
              {
                expr: rate(`${requests}_count{${of}}`, "http_response_status_code"),
                legend: "{{http_response_status_code}}",
              },
            ],
          },
          {
            title: "Refused or failed, by reason",
            kind: "timeseries",
            unit: "reqps",
            queries: [
              {
                expr: rate(`${requests}_count{${of},docket_reason!=""}`, "docket_reason"),
                legend: "{{docket_reason}}",
              },
            ],
          },
          {
            title: "Duration, 99 %",
            description: "Streams, uploads and downloads last as long as they last.",
            kind: "timeseries",
            unit: "s",
            exemplars: true,
            queries: [{ expr: quantile(requests, 0.99, of, "http_route"), legend: "{{http_route}}" }],
          },
        ],
      },
      {
        title: "In hand",
        panels: [
          {
            title: "Connections",
            kind: "timeseries",
            unit: "short",
            width: 6,
            queries: [{ expr: "sum by (instance) (docket_edge_connections)", legend: "{{instance}}" }],
          },
          {
            title: "Unary calls",
            kind: "timeseries",
            unit: "short",
            width: 6,
            queries: [{ expr: "sum by (instance) (docket_edge_in_flight)", legend: "{{instance}}" }],
          },
          {
            title: "Streams and transfers",
            kind: "timeseries",
            unit: "short",
            width: 6,
            queries: [{ expr: "sum by (instance) (docket_edge_streams_open)", legend: "{{instance}}" }],
          },
          {
            title: "Messages in memory",
            kind: "timeseries",
            unit: "bytes",
            width: 6,
            queries: [{ expr: "sum by (instance) (docket_edge_held_bytes)", legend: "{{instance}}" }],
          },
        ],
      },
      {
        title: "Pages",
        panels: [
          {
            title: "Requests to the portal",
            kind: "timeseries",
            unit: "reqps",
            queries: [
              {
                expr: rate(`${requests}_count{service="web"}`, "http_route, http_response_status_code"),
                legend: "{{http_route}} {{http_response_status_code}}",
              },
            ],
          },
          {
            title: "Duration, 99 %",
            kind: "timeseries",
            unit: "s",
            queries: [{ expr: quantile(requests, 0.99, 'service="web"', "http_route"), legend: "{{http_route}}" }],
          },
        ],
      },
    ],
  };
}
