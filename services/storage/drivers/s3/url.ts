// What a BLOB_URL of the form `s3://bucket/prefix?…` says. Credentials never stand in it.

import { ConfigError } from "@docket/runtime/config";

/** A bucket, and where in it. */
export interface S3Location {
  readonly bucket: string;
  /** What every key begins with: empty, or ends with a slash. */
  readonly prefix: string;
  /** Undefined: as the AWS SDK finds it (AWS_REGION, the shared configuration). */
  readonly region: string | undefined;
  /** Undefined: Amazon's own. */
  readonly endpoint: URL | undefined;
  /** Whether the bucket stands in the path, and not in the host name. */
  readonly pathStyle: boolean;
  /** How the bucket is told to encrypt what it keeps; undefined: as the bucket is set up. */
  readonly encryption: { readonly mode: "AES256" | "aws:kms"; readonly keyId: string | undefined } | undefined;
}

const parameters = new Set(["region", "endpoint", "path_style", "sse", "kms_key_id"]);

/** Understands an `s3:` URL. Throws ConfigError; `allowPlaintext` lets http endpoints be other machines. */
export function parseS3Url(text: string, { allowPlaintext }: { readonly allowPlaintext: boolean }): S3Location {
  if (!URL.canParse(text) || !text.startsWith("s3://")) throw wrong("must be s3://bucket, such as s3://files/docket");
  const url = new URL(text);
  if (url.username !== "" || url.password !== "" || url.port !== "") {
    throw wrong("takes a bucket and no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for these");
  }
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(url.hostname)) throw wrong("names no bucket that S3 would have");
  for (const name of url.searchParams.keys()) {
    if (!parameters.has(name)) throw wrong(`does not know ${name}; it takes ${[...parameters].join(", ")}`);
  }
  const value = (name: string) => url.searchParams.get(name) || undefined;
  const prefix = decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, "");
  return {
    bucket: url.hostname,
    prefix: prefix === "" ? "" : `${prefix}/`,
    region: value("region"),
    endpoint: endpointOf(value("endpoint"), allowPlaintext),
    pathStyle: flagOf(value("path_style")),
    encryption: encryptionOf(value("sse"), value("kms_key_id")),
  };
}

function endpointOf(text: string | undefined, allowPlaintext: boolean): URL | undefined {
  if (text === undefined) return undefined;
  const endpoint = URL.canParse(text) ? new URL(text) : undefined;
  if (endpoint === undefined || !/^https?:$/.test(endpoint.protocol)) throw wrong("needs an https URL as its endpoint");
  if (endpoint.username !== "" || endpoint.password !== "") throw wrong("takes no credentials in its endpoint");
  if (endpoint.protocol === "http:" && !isLoopback(endpoint.hostname) && !allowPlaintext) {
    throw wrong("must have an https endpoint, or BLOB_ALLOW_PLAINTEXT=true: files would travel readable for anybody");
  }
  return endpoint;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}

function flagOf(text: string | undefined): boolean {
  if (text === undefined || text === "false") return false;
  if (text !== "true") throw wrong("takes path_style=true or path_style=false");
  return true;
}

function encryptionOf(mode: string | undefined, keyId: string | undefined): S3Location["encryption"] {
  if (mode === undefined && keyId === undefined) return undefined;
  if (mode !== "AES256" && mode !== "aws:kms") throw wrong("takes sse=AES256 or sse=aws:kms");
  if (mode === "AES256" && keyId !== undefined) throw wrong("takes a kms_key_id with sse=aws:kms only");
  return { mode, keyId };
}

function wrong(what: string): ConfigError {
  return new ConfigError("BLOB_URL", `BLOB_URL ${what}.`);
}
