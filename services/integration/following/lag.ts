// How far behind the changes webhooks are: since when the oldest change waits that has come here and has not been made into
// deliveries. It goes on growing while making them fails again and again.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Metrics } from "@docket/runtime/telemetry/metrics";
import type { Batch } from "./fan_out.ts";

export class FollowingLag {
  /** By workspace, in milliseconds since 1970. */
  readonly #since = new Map<string, number>();

  constructor(metrics: Metrics | undefined) {
    metrics?.gauge(
      "docket.change.lag",
      { unit: "s", description: "How far the slowest reader is behind the log of changes." },
      () => [{ value: this.ageMs(Date.now()) / 1000, labels: { consumer: "webhooks" } }],
    );
  }

  /** The age of the oldest that waits, in milliseconds; 0 when none does. */
  ageMs(now: number): number {
    return Math.max(0, now - Math.min(now, ...this.#since.values()));
  }

  /** Makes deliveries of a batch. */
  async during(batch: Batch, make: () => Promise<void>): Promise<void> {
    const { workspaceId, changes } = batch;
    const [first] = changes;
    const occurred = first?.time;
    if (occurred !== undefined && !this.#since.has(workspaceId)) this.#since.set(workspaceId, timestampMs(occurred));
    await make();
    this.#since.delete(workspaceId);
  }
}
