// Logs are JSON lines: one object per event, for machines first. Whatever is given, credentials are blotted out: by the
// name of the field at any depth, and by their shape inside texts.

import { type DestinationStream, destination as openDestination, type Logger as PinoLogger, pino } from "pino";
import { activeSpan } from "./telemetry/span.ts";

/** A logger. Make one per process with {@link createLogger}; its children add fields to every line. */
export type Logger = PinoLogger;

/** How much is logged, from everything to nothing. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

/** The levels, for a setting of kind choice. */
export const logLevels: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

/** What a logger is made from. */
export interface LoggerOptions {
  /** The service's name, on every line. */
  readonly service?: string;
  /** The lowest level that is written. Default: info. */
  readonly level?: LogLevel;
  /** Where lines go. Default: stderr, written before the call returns, so that the last words of a process are kept. */
  readonly destination?: DestinationStream;
}

/**
 * Makes a logger. Fields are snake_case; an error goes into `err`. Children carry the request:
 * `logger.child({ request_id })`.
 */
export function createLogger({ service, level = "info", destination }: LoggerOptions = {}): Logger {
  const logger = pino(
    {
      level,
      base: service === undefined ? {} : { service },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => redactFields(fields),
      },
      serializers: { err: (value) => value },
      mixin: placeInTrace,
      hooks: {
        streamWrite: (line) => {
          const clean = redactText(line);
          if (service !== undefined && sinks.size > 0) for (const take of sinks.get(service) ?? []) take(clean);
          return clean;
        },
      },
    },
    destination ?? openDestination({ fd: 2, sync: true }),
  );
  // Pino formats the fields of lines, but not those of children; children inherit this.
  const { child } = logger;
  logger.child = function (this: Logger, fields: Record<string, unknown>, options?: object) {
    return child.call(this, redactFields(fields), options);
  } as typeof logger.child;
  return logger;
}

type Sink = (line: string) => void;

const sinks = new Map<string, Set<Sink>>();

/**
 * Shows `take` every line of a service that is written from now on, as it is written: one JSON object, cleaned, with a line
 * break. It must not throw, wait or log.
 */
export function onLogLine(service: string, take: (line: string) => void): Disposable {
  const known = sinks.get(service) ?? new Set();
  sinks.set(service, known.add(take));
  return {
    [Symbol.dispose]() {
      known.delete(take);
      if (known.size === 0) sinks.delete(service);
    },
  };
}

/** By which a line is found from a trace, and a trace from a line. */
function placeInTrace(): object {
  const span = activeSpan();
  return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
}

const blot = "[redacted]";

const secretName =
  /(^|[_-])(authorization|cookie|password|passwd|secret|token|credential|api_?key|private_?key|signing_?key)s?$/i;

/** Ids, counts and times that belong to a secret are none themselves. */
function isSecretName(name: string): boolean {
  return secretName.test(name.replace(/([a-z0-9])([A-Z])/g, "$1_$2"));
}

const deepest = 8;

function redactFields(fields: Record<string, unknown>, depth = 0): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    clean[name] = isSecretName(name) && value !== undefined && value !== "" ? blot : redact(value, depth + 1);
  }
  return clean;
}

function redact(value: unknown, depth: number): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  if (depth > deepest) return "[deep]";
  if (isError(value)) return describeError(value, depth);
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  if (value instanceof Headers) return redactFields(Object.fromEntries(value), depth);
  if (value instanceof Map) return redactFields(Object.fromEntries(value), depth);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if ("toJSON" in value && typeof value.toJSON === "function") return redact(value.toJSON(), depth + 1);
  return redactFields(value as Record<string, unknown>, depth);
}

/** Errors of other realms are not instances of this one's Error. */
function isError(value: object): value is Error {
  return value instanceof Error || Error.isError?.(value) === true;
}

function describeError(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause, ...rest } = error;
  // What Redis refused comes with all that it was to write; the command's name says enough.
  const { command } = rest as { command?: { name?: unknown; args?: unknown } };
  const told = command?.args === undefined ? rest : { ...rest, command: command.name };
  return {
    type: name ?? error.name,
    message,
    ...redactFields(told as Record<string, unknown>, depth),
    stack,
    ...(cause === undefined ? {} : { cause: redact(cause, depth + 1) }),
  };
}

const secretShape =
  /(?<scheme>\bbearer +)[\w.~+/=-]{8,}|(?<user>:\/\/[^\s:@/"\\]*:)[^\s@/"\\]+(?=@)|(?<signed>\bx-amz-(?:signature|security-token|credential)=)[^\s&"\\]+|(?<![\w-])(?:eyJ[\w-]+\.[\w-]+\.[\w-]*|dk_[0-9a-f]{32}_[\w-]+)/gi;

/** Blots out bearer tokens, JWTs, API keys, and passwords and signatures in URLs, wherever they stand in a line. */
function redactText(line: string): string {
  return line.replace(
    secretShape,
    (_match, scheme: string | undefined, user: string | undefined, signed: string | undefined) =>
      `${scheme ?? user ?? signed ?? ""}${blot}`,
  );
}
