// Digests and types of contents as people read them.

import type { Version } from "@docket/contracts/gen/docket/document/v1/version_pb.ts";

/** Bytes in hexadecimal. */
export function hexOf(bytes: Uint8Array | undefined): string {
  return Array.from(bytes ?? [], (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What a file is in a word: its extension in capitals, as everybody calls it, or what its type says. */
export function typeName({ fileName, mediaType }: Pick<Version, "fileName" | "mediaType">): string {
  const extension = fileName.includes(".") ? extensionOf(fileName) : "";
  if (/^[a-z0-9]{1,8}$/.test(extension)) return extension.toUpperCase();
  return mediaType.split("/").at(-1)?.split(";")[0]?.toUpperCase() || "…";
}
