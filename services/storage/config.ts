// The settings of the storage service. The environment is passed in by main.ts, or by whoever starts it in-process.

import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { ConfigError, readSettings, setting, type Values } from "@docket/runtime/config";
import { databaseOf, serviceSettings } from "@docket/runtime/service_settings";
import type { Limits } from "./domain/limits.ts";
import type { BlobPlace } from "./drivers/open.ts";
import { parseS3Url } from "./drivers/s3/url.ts";

const day = 24 * 60 * 60 * 1000;

/** Every setting, for readConfig and the reference page. */
export const storageSettings = {
  ...serviceSettings(Workload.STORAGE),
  // A text and not a URL: `file:./contents` would become a folder of the root.
  blobUrl: setting.string("BLOB_URL", {
    optional: true,
    doc: "Where file contents are kept: `file:` and a folder, or `s3://bucket/prefix?region=…`, with `endpoint`, `path_style=true`, `sse=AES256` or `sse=aws:kms` and `kms_key_id` where they are wanted. Unset: `blobs` in the data folder.",
  }),
  s3: {
    accessKeyId: setting.string("AWS_ACCESS_KEY_ID", {
      optional: true,
      doc: "The key for the bucket of BLOB_URL. Unset: whatever else the AWS SDK finds, such as the role of a pod or a machine.",
    }),
    secretAccessKey: setting.string("AWS_SECRET_ACCESS_KEY", {
      optional: true,
      secret: true,
      doc: "The secret of AWS_ACCESS_KEY_ID.",
    }),
    sessionToken: setting.string("AWS_SESSION_TOKEN", {
      optional: true,
      secret: true,
      doc: "The session of AWS_ACCESS_KEY_ID, where it is a temporary one.",
    }),
    allowPlaintext: setting.boolean("BLOB_ALLOW_PLAINTEXT", {
      default: false,
      doc: "Whether the endpoint in BLOB_URL may be another machine's over plain http: whoever is on the way can then read all files.",
    }),
    partMemoryBytes: setting.bytes("BLOB_PART_MEMORY", {
      default: "96MiB",
      min: 16 * 1024 * 1024,
      doc: "How many bytes of all uploads may be in memory on their way to a bucket, to which they go in parts of 8 MiB.",
    }),
  },
  maxFileBytes: setting.bytes("UPLOAD_MAX_BYTES", {
    default: "50GiB",
    min: 1,
    doc: "The largest file that is taken.",
  }),
  workspaceQuotaBytes: setting.bytes("WORKSPACE_QUOTA_BYTES", {
    default: "1TiB",
    min: 1,
    doc: "How many bytes the files of one workspace may have, where the workspace has no quota of its own. Equal files count once.",
  }),
  partialQuotaBytes: setting.bytes("UPLOAD_PARTIAL_QUOTA_BYTES", {
    default: "100GiB",
    min: 1,
    doc: "How many bytes one person or application may hold in partial uploads that no workspace has taken yet.",
  }),
  diskFloorBytes: setting.bytes("DISK_FLOOR_BYTES", {
    default: "1GiB",
    min: 0,
    doc: "How much of the disk stays free: below it nothing more is taken.",
  }),
  maxOpenUploads: setting.integer("UPLOAD_MAX_OPEN", {
    default: 1000,
    min: 1,
    doc: "How many unfinished uploads one person or application may have.",
  }),
  maxParts: setting.integer("UPLOAD_MAX_PARTS", {
    default: 10_000,
    min: 1,
    max: 100_000,
    doc: "How many pieces one upload may be written in.",
  }),
  uploadIdleMs: setting.duration("UPLOAD_EXPIRE_AFTER", {
    default: "24h",
    min: 1000,
    doc: "How long an unfinished upload lives without a write, and a finished one without a document.",
  }),
  uploadLongestMs: setting.duration("UPLOAD_EXPIRE_AT_LATEST", {
    default: "7d",
    min: 1000,
    doc: "How long an upload may take altogether.",
  }),
  blobGraceMs: setting.duration("BLOB_GRACE", {
    default: "24h",
    min: 0,
    doc: "How long contents are kept that nothing refers to any more.",
  }),
  scrubAfterMs: setting.duration("BLOB_SCRUB_AFTER", {
    default: "30d",
    min: 1000,
    doc: "How often all stored contents are read and compared with their checksums.",
  }),
  abandonedMs: setting.duration("BLOB_ABANDONED_AFTER", {
    default: "24h",
    // A write takes an hour at most, and a checked one is noted at its end.
    min: 2 * 60 * 60 * 1000,
    doc: "How long bytes stay in a bucket that nothing knows of: parts never put together, objects never noted.",
  }),
  janitorMs: setting.duration("STORAGE_JANITOR_INTERVAL", {
    default: "30s",
    min: 100,
    doc: "How often abandoned uploads and unreferenced contents are looked for.",
  }),
  inFlightBytes: setting.bytes("STORAGE_IN_FLIGHT_BYTES", {
    default: "16MiB",
    min: 4 * 1024 * 1024,
    doc: "How many bytes of all uploads may be in memory on their way to the disk, and as many of all downloads.",
  }),
};

export type StorageConfig = Values<typeof storageSettings>;

/** Reads the settings. Throws ConfigError with a sentence that names the variable. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): StorageConfig {
  const config = readSettings(storageSettings, env);
  blobPlaceOf(config);
  return config;
}

export { databaseOf };

/** Where the contents are, with all that a driver needs to open the place. */
export function blobPlaceOf(config: Pick<StorageConfig, "blobUrl" | "dataDir" | "s3">): BlobPlace {
  const url = blobUrlOf(config);
  if (!url.startsWith("s3:")) return { url };
  const { accessKeyId, secretAccessKey, sessionToken, allowPlaintext, partMemoryBytes } = config.s3;
  parseS3Url(url, { allowPlaintext });
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    throw new ConfigError("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set together.");
  }
  const credentials = accessKeyId !== undefined &&
    secretAccessKey !== undefined && {
      accessKeyId,
      secretAccessKey: secretAccessKey.reveal(),
      ...(sessionToken === undefined ? {} : { sessionToken: sessionToken.reveal() }),
    };
  return { url, allowPlaintext, partMemoryBytes, ...(credentials ? { credentials } : {}) };
}

/** Where the contents are, as a URL that a driver opens. */
export function blobUrlOf({ blobUrl, dataDir }: Pick<StorageConfig, "blobUrl" | "dataDir">): string {
  if (blobUrl === undefined) return pathToFileURL(join(dataDir, "blobs")).href;
  if (blobUrl.startsWith("s3:")) return blobUrl;
  if (URL.canParse(blobUrl) && blobUrl.startsWith("file://")) return new URL(blobUrl).href;
  const path = /^file:(.+)$/.exec(blobUrl)?.[1];
  if (path === undefined || path.startsWith("//")) {
    throw new ConfigError(
      "BLOB_URL",
      "BLOB_URL must be file: and a folder, such as file:/var/lib/docket/blobs, or s3: and a bucket.",
    );
  }
  return pathToFileURL(resolve(path)).href;
}

/** The limits as the rules need them. */
export function limitsOf(config: StorageConfig): Limits {
  return { ...config, pieceGraceMs: Math.min(config.blobGraceMs, pieceGraceMs), historyMs: 30 * day };
}

/** A reader may be in the middle of a piece that nobody needs any more. */
const pieceGraceMs = 60 * 60 * 1000;

/** The environment of this process. */
export function environment(): NodeJS.ProcessEnv {
  return process.env;
}
