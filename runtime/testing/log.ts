// The log of what a test runs, to look into.

import { createLogger, type Logger, type LogLevel } from "../logger.ts";

/** A logger and what was written with it and its children. */
export interface CapturedLog {
  readonly logger: Logger;
  /** The lines so far, parsed. */
  lines(): Record<string, unknown>[];
}

/** Makes a logger that writes into memory. Default level: debug. */
export function captureLog(level: LogLevel = "debug"): CapturedLog {
  const written: string[] = [];
  const logger = createLogger({ level, destination: { write: (line) => void written.push(line) } });
  return { logger, lines: () => written.map((line) => JSON.parse(line)) };
}
