// A telemetry for tests that keeps what it is told: ended spans in memory, metrics at a free port.

import { readSettings } from "../../config.ts";
import { createLogger } from "../../logger.ts";
import { telemetrySettings } from "../settings.ts";
import type { LiveSpan } from "../span.ts";
import { type EndedSpan, openTelemetry, type Telemetry } from "../telemetry.ts";

export interface Recorder extends AsyncDisposable {
  readonly telemetry: Telemetry;
  /** In the order in which they ended. */
  readonly ended: readonly EndedSpan[];
  /** Begins a request's span. */
  begin(name: string): LiveSpan;
  /** The lines of /metrics that begin like this. */
  lines(start: string): Promise<string[]>;
}

/** Opens one, with settings beside its own. */
export async function openRecorder(service: string, env: Readonly<Record<string, string>> = {}): Promise<Recorder> {
  const ended: EndedSpan[] = [];
  const config = readSettings(telemetrySettings, { METRICS_PORT: "0", ...env });
  const logger = createLogger({ level: "silent" });
  const telemetry = await openTelemetry(config, { service, logger, spanEnded: (span) => void ended.push(span) });
  if (telemetry?.tracing === undefined) throw new Error("nothing is recorded");
  const { tracing } = telemetry;
  return {
    telemetry,
    ended,
    begin: (name) => tracing.start(name, "server", { sampled: true }),
    async lines(start) {
      const answer = await fetch(`http://${telemetry.metricsAddress}/metrics`);
      return (await answer.text()).split("\n").filter((line) => line.startsWith(start));
    },
    [Symbol.asyncDispose]: () => telemetry[Symbol.asyncDispose](),
  };
}
