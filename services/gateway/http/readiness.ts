// Whether every service that the edge needs says that it serves. Asked at most once a second, however many ask here.

import type { Client } from "@connectrpc/connect";
import { type Health, HealthCheckResponse_ServingStatus } from "@docket/contracts/gen/grpc/health/v1/health_pb.ts";
import type { Redis } from "@docket/runtime/redis/redis";

export interface ServiceHealth {
  readonly name: string;
  readonly client: Client<typeof Health>;
}

export interface Readiness {
  readonly ready: boolean;
  /** By name of the service. */
  readonly services: Readonly<Record<string, "serving" | "not serving" | "away">>;
  /** Redis, where one is set. It decides nothing: the edge is ready without it. */
  readonly redis?: "connected" | "away";
}

const keptMs = 1000;

/** Services without which people do their work all the same: that one is away must not take every edge out of service. */
const dispensable: ReadonlySet<string> = new Set(["integration"]);

export class ReadinessProbe {
  readonly #services: readonly ServiceHealth[];
  readonly #redis: Pick<Redis, "connected"> | undefined;
  #asked: { readonly at: number; readonly answer: Promise<Readiness> } | undefined;
  #draining = false;

  constructor(services: readonly ServiceHealth[], redis: Pick<Redis, "connected"> | undefined) {
    this.#services = services;
    this.#redis = redis;
  }

  /** Not ready from now on. */
  drain(): void {
    this.#draining = true;
  }

  async check(): Promise<Readiness> {
    const now = Date.now();
    if (this.#asked === undefined || now - this.#asked.at >= keptMs) this.#asked = { at: now, answer: this.#ask() };
    const { ready, services } = await this.#asked.answer;
    const redis = this.#redis && { redis: this.#redis.connected ? ("connected" as const) : ("away" as const) };
    return { ready: ready && !this.#draining, services, ...redis };
  }

  async #ask(): Promise<Readiness> {
    const entries = await Promise.all(
      this.#services.map(async ({ name, client }) => {
        try {
          const { status } = await client.check({ service: "" }, { timeoutMs: 1000 });
          return [name, status === HealthCheckResponse_ServingStatus.SERVING ? "serving" : "not serving"] as const;
        } catch {
          return [name, "away"] as const;
        }
      }),
    );
    const ready = entries.every(([name, status]) => status === "serving" || dispensable.has(name));
    return { ready, services: Object.fromEntries(entries) };
  }
}
