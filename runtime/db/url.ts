/** DATABASE_URL → which dialect, and where. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { StartError } from "../errors.ts";

/** The databases that Docket's statements and migrations are written for. */
export type Dialect = "sqlite";

export interface DatabaseLocation {
  readonly dialect: Dialect;
  /** The folder that holds `<name>.db`. */
  readonly folder: string;
}

/**
 * Understands `file:///data`, `file:data`, `sqlite:///data` and `sqlite:data`: the folder of the databases, one file per
 * service. Throws StartError for anything else.
 */
export function parseDatabaseUrl(url: string): DatabaseLocation {
  const match = /^(file|sqlite):(.*)$/s.exec(url);
  if (match === null) throw new StartError(`DATABASE_URL must begin with file: or sqlite:, and is ${redact(url)}.`);
  const rest = match[2] ?? "";
  if (rest === "") throw new StartError("DATABASE_URL names no folder; write for example file:./data.");
  if (!rest.startsWith("//")) return { dialect: "sqlite", folder: resolve(decodeURIComponent(rest)) };
  try {
    return { dialect: "sqlite", folder: fileURLToPath(`file:${rest}`) };
  } catch (error) {
    throw new StartError(`DATABASE_URL is no file URL: ${(error as Error).message}.`);
  }
}

/** A URL may carry a password. */
function redact(url: string): string {
  return `${url.split(":", 1)[0]}:…`;
}
