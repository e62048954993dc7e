/** DATABASE_URL → which dialect, and where. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { StartError } from "../errors.ts";

/** The databases that Docket's statements and migrations are written for. MariaDB speaks MySQL's. */
export type Dialect = "sqlite" | "mysql";

/** One file per service in a folder. */
export interface SqliteLocation {
  readonly dialect: "sqlite";
  /** The folder that holds `<name>.db`. */
  readonly folder: string;
}

/** One schema per service on a server. */
export interface MysqlLocation {
  readonly dialect: "mysql";
  /** Which server it is: the two describe their schemas differently. */
  readonly server: "mysql" | "mariadb";
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly schema: string;
}

/** Stands in a DATABASE_URL for the name of the service, so that one text serves processes that hold several. */
const SERVICE_PLACE = /\{service\}/g;

const forms = "file:, sqlite:, mysql: or mariadb:";

/**
 * Understands `file:///data`, `file:data`, `sqlite:///data` and `sqlite:data` (the folder of the databases), and
 * `mysql://user:password@host:3306/schema` and `mariadb://…`, in which `{service}` stands for the service's name. Throws
 * StartError for anything else, without showing what may be a password.
 */
export function parseDatabaseUrl(url: string, service: string): SqliteLocation | MysqlLocation {
  const match = /^(file|sqlite|mysql|mariadb):(.*)$/s.exec(url);
  const [, scheme = "", rest = ""] = match ?? [];
  if (match === null) throw new StartError(`DATABASE_URL must begin with ${forms}, and is ${redact(url)}.`);
  if (scheme === "mysql" || scheme === "mariadb") return parseServerUrl(scheme, url, service);
  if (rest === "") throw new StartError("DATABASE_URL names no folder; write for example file:./data.");
  if (!rest.startsWith("//")) return { dialect: "sqlite", folder: resolve(decodeURIComponent(rest)) };
  try {
    return { dialect: "sqlite", folder: fileURLToPath(`file:${rest}`) };
  } catch (error) {
    throw new StartError(`DATABASE_URL is no file URL: ${(error as Error).message}.`);
  }
}

/** Refuses, for what opens the databases of all services, a URL that means one schema for all of them. Throws StartError. */
export function refuseSharedSchema(url: string | undefined): void {
  if (url === undefined || !/^(mysql|mariadb):/.test(url) || url.search(SERVICE_PLACE) >= 0) return;
  throw new StartError(
    "DATABASE_URL names one schema, and each service needs its own: write {service} in it for the service's name.",
  );
}

function parseServerUrl(server: "mysql" | "mariadb", text: string, service: string): MysqlLocation {
  const filled = text.replace(SERVICE_PLACE, service);
  const example = `${server}://user:password@host:3306/schema`;
  if (!URL.canParse(filled)) throw new StartError(`DATABASE_URL is no URL; write ${example}.`);
  const { hostname, port, username, password, pathname, search, hash } = new URL(filled);
  const schema = decoded(pathname.slice(1));
  if (hostname === "" || username === "" || schema === "") {
    throw new StartError(`DATABASE_URL must name a host, a user and a schema: ${example}.`);
  }
  if (search !== "" || hash !== "") {
    throw new StartError("DATABASE_URL takes nothing behind the schema; what else there is has settings of its own.");
  }
  if (!/^[A-Za-z0-9_$-]{1,64}$/.test(schema)) {
    throw new StartError("The schema in DATABASE_URL must be 1 to 64 letters, digits, _, $ or -.");
  }
  return {
    dialect: "mysql",
    server,
    // An IPv6 address is written in brackets in a URL, and without them everywhere else.
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? 3306 : Number(port),
    user: decoded(username),
    password: decoded(password),
    schema,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new StartError("DATABASE_URL has a % that is followed by no two hexadecimal digits; write % as %25.");
  }
}

/** A URL may carry a password. */
function redact(url: string): string {
  return `${url.split(":", 1)[0]}:…`;
}
