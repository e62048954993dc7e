// What storage takes, asked now and then.

import type { Client } from "@connectrpc/connect";
import type { UsageService } from "@docket/contracts/gen/docket/storage/v1/usage_service_pb.ts";
import { headerNames } from "@docket/runtime/call";

const keptMs = 60_000;

export class LimitsCache {
  readonly #usage: Client<typeof UsageService>;
  #kept: { readonly until: number; readonly maxBytes: number } | undefined;

  constructor(usage: Client<typeof UsageService>) {
    this.#usage = usage;
  }

  /** The largest file, in bytes. */
  async maxBytes(requestId: string): Promise<number> {
    if (this.#kept === undefined || Date.now() >= this.#kept.until) {
      const { maxFileBytes } = await this.#usage.getLimits({}, { headers: { [headerNames.requestId]: requestId } });
      this.#kept = { until: Date.now() + keptMs, maxBytes: Number(maxFileBytes) };
    }
    return this.#kept.maxBytes;
  }
}
