// What REDIS_URL says, and whether it may be spoken to like that. It must never know the client library.

import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { ConfigError, type Values } from "../config.ts";
import type { redisSettings } from "./settings.ts";

/** The values of the settings of Redis. */
export type RedisConfig = Values<typeof redisSettings>;

/** Where Redis is, and who we are there. */
export interface RedisLocation {
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  /** Undefined: plain text. */
  readonly tls: RedisTls | undefined;
}

/** How TLS is spoken: always verified. */
export interface RedisTls {
  readonly rejectUnauthorized: true;
  readonly minVersion: "TLSv1.2";
  /** Absent where the host is an address, which TLS does not announce. */
  readonly servername?: string;
  readonly ca?: string;
}

const DEFAULT_PORT = 6379;

/** Undefined where no Redis is set. Throws ConfigError for what cannot be, or would be in plain text on a network. */
export function redisLocation({ url, ca, allowPlaintext }: RedisConfig): RedisLocation | undefined {
  if (url === undefined) return undefined;
  const text = url.reveal();
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  const database = /^\/?(\d{0,4})$/.exec(parsed?.pathname ?? "-")?.[1];
  if (parsed === undefined || parsed.hostname === "" || database === undefined || parsed.search !== "") {
    throw new ConfigError("REDIS_URL", "REDIS_URL must be like rediss://user:password@host:6379/0.");
  }
  const encrypted = parsed.protocol === "rediss:";
  const host = parsed.hostname.replace(/^\[|\]$/g, "");
  if (!encrypted && !isLoopback(host) && !allowPlaintext) {
    throw new ConfigError(
      "REDIS_URL",
      `REDIS_URL would send sessions to ${host} in plain text: let it begin with rediss:, or set REDIS_ALLOW_PLAINTEXT=true where the network itself encrypts.`,
    );
  }
  if (!encrypted && ca !== undefined) {
    throw new ConfigError(
      "REDIS_CA",
      "REDIS_CA is set, but REDIS_URL does not begin with rediss:, so nothing is verified.",
    );
  }
  return {
    host,
    port: parsed.port === "" ? DEFAULT_PORT : Number(parsed.port),
    username: parsed.username === "" ? undefined : decodeURIComponent(parsed.username),
    password: parsed.password === "" ? undefined : decodeURIComponent(parsed.password),
    database: Number(database),
    tls: encrypted ? tlsOf(host, ca) : undefined,
  };
}

function tlsOf(host: string, ca: string | undefined): RedisTls {
  return {
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca: readAuthorities(ca) }),
  };
}

function readAuthorities(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError("REDIS_CA", `REDIS_CA names a file that cannot be read (${code}).`);
  }
  // What is no certificate would be passed over in silence.
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new ConfigError("REDIS_CA", "REDIS_CA names a file without a certificate in PEM.");
}

/** Whether a host is this machine. A name other than localhost is not resolved: it may change. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}
