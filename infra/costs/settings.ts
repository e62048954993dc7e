// What is counted of each price, in a month, in the two settings that the page shows; and why so many.

import { hours, type PriceName } from "./prices.ts";

/** One line of a bill. */
export interface Line {
  readonly price: PriceName;
  /** How many units a month. */
  readonly count: number;
  /** How the count comes about. */
  readonly why: string;
}

/** What is set up, and what it is assumed to be used for. */
export interface Setting {
  readonly title: string;
  readonly assumes: string;
  readonly lines: readonly Line[];
}

/** So many things that run all month. */
const running = (price: PriceName, things: number, why: string): Line => ({
  price,
  count: things * hours,
  why: `${things} × ${hours} h: ${why}`,
});
const line = (price: PriceName, count: number, why: string): Line => ({ price, count, why });

export const settings: readonly Setting[] = [
  {
    title: "The smallest",
    assumes:
      "One platform (`platform-nonprod.json`) with one environment (`environment-dev.json`), for up to about a hundred people: 50 GB of contents, 10 GB uploaded and 20 GB downloaded a month.",
    lines: [
      running("cluster", 1, "one cluster"),
      running(
        "smallNode",
        3,
        "ServerMin, one in each zone; DEV's pods ask for 2.2 CPUs, what looks after them for about 4",
      ),
      running("spotNode", 1, "WorkerMin"),
      running("accessHost", 1, "for Session Manager"),
      line("volume", 4 * 40 + 8 + 50, "four nodes of 40 GB, the access host of 8, Prometheus of 50"),
      running("nat", 1, "NatPerZone is false"),
      line("natTraffic", 30, "images of others, mail, webhooks"),
      running("address", 4, "one of the NAT gateway, three of the load balancer"),
      running("endpoint", 9, "nine services in one zone: EveryZone is false"),
      running("balancer", 1, "of the ingress"),
      running("balancerUnits", 1, "far below one unit, which is the least"),
      line("out", 20, "downloads"),
      line("acrossZones", 60, "calls between pods in several zones"),
      running("databaseUnit", 1, "on average; between 0.5 and 4"),
      line("databaseStorage", 10, "the least that Aurora keeps"),
      line("databaseRequests", 60, "20 a second: workers and readers of the log look once a second"),
      running("smallCache", 1, "one node"),
      line("contents", 60, "50 GB, and 10 GB of removed versions for a week"),
      line("puts", 20, "pieces and parts"),
      line("gets", 100, "downloads, and the scrub of all contents every 30 days"),
      line("key", 2, "of the platform and of the environment"),
      line("keyRequests", 10, "bucket keys make them few"),
      line("secret", 18, "as infra/templates makes them"),
      line("logs", 15, "flow logs, control plane, sessions"),
      line("alarm", 5, "infra/templates/alarms.yaml"),
      line("images", 10, "eight images of about 100 MB compressed, twelve kept on average"),
      line("zone", 1, "one name"),
      line("certificate", 1, "one name"),
    ],
  },
  {
    title: "10,000 users",
    assumes:
      "The platform and the environment PROD (`platform-prod.json`, `environment-prod.json`). 10,000 people, 1,000 of them at once at the busiest hour with half a call a second each: 500 calls a second then, 50 on average. 10 TB of contents, 1 TB uploaded and 3 TB downloaded a month, 50 GB of rows. DEV and STAGE come on top.",
    lines: [
      running("cluster", 1, "one cluster"),
      running(
        "serverNode",
        5,
        "four at night, seven at the busiest hour; PROD's pods ask for 15 CPUs at least, what looks after them for about 4",
      ),
      running("smallNode", 3, "workers, one in each zone"),
      running("accessHost", 1, "for Session Manager"),
      line("volume", 8 * 40 + 8 + 200, "eight nodes of 40 GB, the access host of 8, Prometheus of 200"),
      running("nat", 3, "NatPerZone is true"),
      line("natTraffic", 300, "mail, webhooks, images of others"),
      running("address", 6, "three of the NAT gateways, three of the load balancer"),
      running("endpoint", 27, "nine services in three zones"),
      running("balancer", 1, "of the ingress"),
      running("balancerUnits", 6, "4 TB a month, at busy hours more"),
      line("out", 3000, "downloads"),
      line("acrossZones", 4000, "calls, uploads and downloads between pods in several zones"),
      running("databaseInstance", 2, "a writer, and one in another zone that takes over"),
      line("databaseStorage", 50, "rows and indexes"),
      line("databaseRequests", 1500, "about 570 a second on average"),
      line("databaseBackup", 200, "35 days of changes"),
      running("cache", 2, "a primary, and one in another zone"),
      line("contents", 11_000, "10 TB, and 1 TB of removed contents for 35 days"),
      line("puts", 400, "1 TB in parts of 8 MiB and small files"),
      line("gets", 6000, "downloads, and the scrub of all contents every 30 days"),
      line("key", 2, "of the platform and of the environment"),
      line("keyRequests", 200, "bucket keys make them few"),
      line("secret", 18, "as infra/templates makes them"),
      line("logs", 150, "flow logs, control plane with its audit, sessions"),
      line("alarm", 5, "infra/templates/alarms.yaml"),
      line("images", 20, "eight images, what PROD ran is kept for long"),
      line("zone", 1, "one name"),
      line("certificate", 1, "one name"),
    ],
  },
];
