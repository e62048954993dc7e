// What stands for a kind of file.

import { DocumentKind } from "@docket/contracts/gen/docket/document/v1/document_pb.ts";
import type { ListingRow } from "./row.ts";

const icons: Readonly<Record<DocumentKind, string>> = {
  [DocumentKind.UNSPECIFIED]: "i-lucide-file",
  [DocumentKind.PDF]: "i-lucide-file-text text-rose-600 dark:text-rose-400",
  [DocumentKind.IMAGE]: "i-lucide-file-image text-violet-600 dark:text-violet-400",
  [DocumentKind.TEXT]: "i-lucide-file-type text-sky-700 dark:text-sky-400",
  [DocumentKind.AUDIO]: "i-lucide-file-music text-amber-600 dark:text-amber-400",
  [DocumentKind.VIDEO]: "i-lucide-file-play text-amber-600 dark:text-amber-400",
  [DocumentKind.OFFICE]: "i-lucide-file-spreadsheet text-emerald-600 dark:text-emerald-400",
  [DocumentKind.OTHER]: "i-lucide-file",
};

/** The classes of the icon of a row. */
export function listingIcon({ type, kind }: Pick<ListingRow, "type" | "kind">): string {
  return type === "folder" ? "i-lucide-folder text-primary" : (icons[kind] ?? "i-lucide-file");
}

/** Larger pictures are too heavy for a small view. */
const largestThumbnail = 12_000_000;
const pictures = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"]);

/** The address of a small view; empty where there is none. */
export function thumbnailOf({ type, id, mediaType, size, version }: ListingRow): string {
  const shown = type === "document" && pictures.has(mediaType.split(";", 1)[0]?.trim().toLowerCase() ?? "");
  return shown && size <= largestThumbnail ? `/files/documents/${id}/versions/${version}?inline=1` : "";
}
