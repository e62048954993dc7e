// Log lines on their way to an endpoint: exactly the lines that are written to standard error, after everything secret has
// been blotted out of them.

import { type Logger as OtelLogger, ROOT_CONTEXT, SeverityNumber, TraceFlags, trace } from "@opentelemetry/api";

const severities: Readonly<Record<string, SeverityNumber>> = {
  trace: SeverityNumber.TRACE,
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
  fatal: SeverityNumber.FATAL,
};

/** Takes lines as they are written. What is no JSON is left out. */
export function logSink(logger: OtelLogger): (line: string) => void {
  return (line) => {
    let fields: Record<string, unknown>;
    try {
      fields = JSON.parse(line) as Record<string, unknown>;
    } catch {
      return;
    }
    const { level, time, msg, service: _service, trace_id, span_id, ...rest } = fields;
    const attributes: Record<string, string | number | boolean> = {};
    for (const [name, value] of Object.entries(rest)) {
      if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
        attributes[name] = value;
      else if (value !== null && value !== undefined) attributes[name] = JSON.stringify(value);
    }
    logger.emit({
      timestamp: new Date(String(time)),
      severityNumber: severities[String(level)] ?? SeverityNumber.UNSPECIFIED,
      severityText: String(level),
      body: String(msg ?? ""),
      attributes,
      ...(typeof trace_id === "string" && typeof span_id === "string" && { context: contextOf(trace_id, span_id) }),
    });
  };
}

function contextOf(traceId: string, spanId: string) {
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.SAMPLED });
}
