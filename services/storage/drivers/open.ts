// Which driver a BLOB_URL names.

import { fileURLToPath } from "node:url";
import { StartError } from "@docket/runtime/errors";
import type { BlobDriver } from "./driver.ts";
import { openFilesystem } from "./filesystem.ts";
import type { S3Options } from "./s3.ts";

/** A place for bytes, as the settings say it. Plain values, so that it can be told to a thread. */
export interface BlobPlace extends S3Options {
  /** `file:` and a folder, or `s3:` and a bucket. */
  readonly url: string;
}

/** How a place is opened. */
export interface OpenOptions {
  /** For a thread of the process that has the place already: only to read. */
  readonly shared?: boolean;
}

/** Opens the place. Throws StartError when its URL is not understood or it cannot be used. */
export async function openDriver({ url, ...s3 }: BlobPlace, options: OpenOptions = {}): Promise<BlobDriver> {
  if (url.startsWith("s3:")) {
    // Loaded where it is needed: the AWS SDK takes a while, and is nothing to whoever keeps files in a folder.
    const { openS3 } = await import("./s3.ts");
    return await openS3(url, s3, options);
  }
  if (url.startsWith("file://")) return await openFilesystem(fileURLToPath(url), options);
  if (url.startsWith("file:")) return await openFilesystem(url.slice("file:".length), options);
  throw new StartError("BLOB_URL must be `file:` with a folder, or `s3:` with a bucket.");
}
