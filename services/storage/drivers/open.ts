// Which driver a BLOB_URL names.

import { fileURLToPath } from "node:url";
import { StartError } from "@docket/runtime/errors";
import type { BlobDriver } from "./driver.ts";
import { type FilesystemOptions, openFilesystem } from "./filesystem.ts";

/** Opens `file:<folder>`. Throws StartError when the URL is not understood or the place cannot be used. */
export async function openDriver(url: string, options?: FilesystemOptions): Promise<BlobDriver> {
  if (url.startsWith("file://")) return await openFilesystem(fileURLToPath(url), options);
  if (url.startsWith("file:")) return await openFilesystem(url.slice("file:".length), options);
  throw new StartError("BLOB_URL must be `file:` with a folder.");
}
