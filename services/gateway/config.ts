// The edge's settings, each declared once.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { ConfigError, readSettings, setting, type Values } from "@docket/runtime/config";
import { processSettings } from "@docket/runtime/service_settings";
import { TrustedProxies } from "./guard/client_address.ts";

export const settings = {
  ...processSettings,
  host: setting.string("HOST", {
    default: "127.0.0.1",
    doc: "The address that the edge listens on; 0.0.0.0 or :: for every interface.",
  }),
  port: setting.integer("PORT", {
    default: 8080,
    min: 0,
    max: 65_535,
    doc: "The port of the edge, for HTTP/1.1 and HTTP/2; 0 takes a free one.",
  }),
  publicUrl: setting.url("PUBLIC_URL", {
    optional: true,
    schemes: ["http", "https"],
    doc: "Where browsers and clients find the edge, for example https://docket.example.com. Unset: its own address. With https, cookies are Secure and named __Host-docket.",
  }),
  web: {
    address: setting.string("WEB_ADDRESS", {
      optional: true,
      pattern: /^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+):\d{1,5}$/,
      accepts: "host:port",
      doc: "Where the portal's process is. Unset: no portal, and `/` says where the API is.",
    }),
    answerMs: setting.duration("WEB_TIMEOUT", {
      default: "15s",
      min: 1,
      doc: "How long the portal has to begin an answer before a page says that it is away.",
    }),
    pagesPerClient: setting.integer("WEB_PAGES_PER_CLIENT", {
      default: 8,
      min: 1,
      doc: "Pages that the portal makes at once for one person, or for one address without a session; more wait for their turn.",
    }),
    waitingPerClient: setting.integer("WEB_WAITING_PER_CLIENT", {
      default: 64,
      min: 0,
      doc: "Pages of one such client that may wait for their turn; more are refused with RATE_LIMITED.",
    }),
    turnMs: setting.duration("WEB_TURN_TIMEOUT", {
      default: "5s",
      min: 1,
      doc: "How long a page may wait for its turn before it is refused with RATE_LIMITED.",
    }),
  },
  inner: {
    host: setting.string("EDGE_INNER_HOST", {
      default: "127.0.0.1",
      doc: "The address that the edge listens on for calls of the portal's process, where there is a portal.",
    }),
    port: setting.integer("EDGE_INNER_PORT", {
      default: 7105,
      min: 0,
      max: 65_535,
      doc: "The port for calls of the portal's process; 0 takes a free one.",
    }),
  },
  trustedProxies: setting.list("TRUSTED_PROXIES", {
    default: [],
    doc: "Addresses and CIDR ranges of proxies whose X-Forwarded-For, X-Forwarded-Host and X-Request-Id are believed.",
  }),
  tls: {
    cert: setting.path("TLS_CERT", {
      optional: true,
      doc: "A file with the edge's certificate chain in PEM. Unset: plain text, for a proxy in front or a laptop.",
    }),
    key: setting.path("TLS_KEY", { optional: true, doc: "A file with the certificate's private key in PEM." }),
  },
  connections: {
    total: setting.integer("EDGE_MAX_CONNECTIONS", { default: 10_000, min: 1, doc: "Connections at once." }),
    perAddress: setting.integer("EDGE_MAX_CONNECTIONS_PER_ADDRESS", {
      default: 500,
      min: 1,
      doc: "Connections at once from one address that is no trusted proxy.",
    }),
    streamsPerConnection: setting.integer("EDGE_MAX_STREAMS_PER_CONNECTION", {
      default: 250,
      min: 1,
      doc: "Requests at once on one HTTP/2 connection.",
    }),
    maxHeaderBytes: setting.bytes("EDGE_MAX_HEADER_BYTES", {
      default: "16KiB",
      min: 1024,
      max: 1_048_576,
      doc: "The size of all headers of a request.",
    }),
    firstBytesMs: setting.duration("EDGE_FIRST_BYTES_TIMEOUT", {
      default: "5s",
      min: 1,
      doc: "How long a connection has for its first bytes, TLS handshake or HTTP/2 stream.",
    }),
    headersMs: setting.duration("EDGE_HEADERS_TIMEOUT", {
      default: "5s",
      min: 1,
      doc: "How long the headers of an HTTP/1.1 request may take.",
    }),
    idleMs: setting.duration("EDGE_IDLE_TIMEOUT", {
      default: "75s",
      min: 1,
      doc: "How long a connection may be silent between requests.",
    }),
  },
  limits: {
    inFlight: setting.integer("EDGE_MAX_IN_FLIGHT", {
      default: 1000,
      min: 1,
      doc: "Unary calls at once; more are refused with OVERLOADED.",
    }),
    streams: setting.integer("EDGE_MAX_STREAMS", {
      default: 10_000,
      min: 1,
      doc: "Streams, uploads and downloads at once; more are refused with OVERLOADED.",
    }),
    streamsPerClient: setting.integer("EDGE_MAX_STREAMS_PER_CLIENT", {
      default: 1000,
      min: 1,
      doc: "Streams, uploads and downloads at once of one person, application or address without a session.",
    }),
    loopDelayMs: setting.duration("EDGE_MAX_LOOP_DELAY", {
      default: "500ms",
      min: 0,
      doc: "The event loop's delay beyond which new unary calls are refused; 0s switches this off.",
    }),
    requestBytes: setting.bytes("EDGE_MAX_REQUEST_BYTES", {
      default: "64MiB",
      min: 1,
      doc: "Request messages that may wait in memory, of all clients together.",
    }),
    messageMs: setting.duration("EDGE_MESSAGE_TIMEOUT", {
      default: "30s",
      min: 1,
      doc: "How long a request's message may take to arrive.",
    }),
    transferIdleMs: setting.duration("EDGE_TRANSFER_IDLE_TIMEOUT", {
      default: "60s",
      min: 1,
      doc: "How long an upload may bring nothing, or a download be read by nobody.",
    }),
  },
  rateScale: setting.integer("RATE_LIMIT_PERCENT", {
    default: 100,
    min: 0,
    max: 100_000,
    doc: "Scales all rate limits per client, in percent; 0 switches them off.",
  }),
  drainMs: setting.duration("EDGE_DRAIN_TIMEOUT", {
    default: "10s",
    min: 0,
    doc: "How long requests in flight may take to finish when the process stops.",
  }),
  build: setting.string("DOCKET_BUILD", {
    default: "dev",
    doc: "What /version says of the build: a commit, for example.",
  }),
};

/** The edge's configuration, checked. */
export type GatewayConfig = Omit<Values<typeof settings>, "trustedProxies" | "tls"> & {
  readonly proxies: TrustedProxies;
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  readonly version: string;
};

/** Reads and checks the settings. Throws ConfigError naming the first that is wrong. */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): GatewayConfig {
  const { trustedProxies, tls, ...values } = readSettings(settings, env);
  if (
    values.publicUrl !== undefined &&
    (values.publicUrl.pathname !== "/" || values.publicUrl.search !== "" || values.publicUrl.username !== "")
  ) {
    throw new ConfigError(
      "PUBLIC_URL",
      "PUBLIC_URL must be an origin, such as https://docket.example.com, without a path.",
    );
  }
  return { ...values, proxies: proxiesOf(trustedProxies), tls: readTls(tls), version: packageVersion() };
}

function proxiesOf(ranges: readonly string[]): TrustedProxies {
  try {
    return new TrustedProxies(ranges);
  } catch (error) {
    throw new ConfigError(
      "TRUSTED_PROXIES",
      `TRUSTED_PROXIES must be addresses or CIDR ranges separated by commas, and ${JSON.stringify((error as RangeError).message)} is neither.`,
    );
  }
}

function readTls({
  cert,
  key,
}: {
  readonly cert: string | undefined;
  readonly key: string | undefined;
}): GatewayConfig["tls"] {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined) throw new ConfigError("TLS_CERT", "TLS_CERT must be set where TLS_KEY is.");
  if (key === undefined) throw new ConfigError("TLS_KEY", "TLS_KEY must be set where TLS_CERT is.");
  return { cert: readPem("TLS_CERT", cert), key: readPem("TLS_KEY", key) };
}

function readPem(variable: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new ConfigError(
      variable,
      `${variable} names a file that cannot be read (${(cause as NodeJS.ErrnoException).code}).`,
    );
  }
}

function packageVersion(): string {
  const { version } = createRequire(import.meta.url)("./package.json") as { version: string };
  return version;
}
