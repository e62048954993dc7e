// How a file is shown: by the media type that its upload claimed, and by the extension of its name where that type says
// nothing. A wrong claim costs a broken picture and no more: no kind runs anything of the file.

/** How a file is shown; "none" is not at all. */
export type PreviewKind = "pdf" | "image" | "markdown" | "table" | "text" | "audio" | "video" | "none";

/** What decides. */
export interface PreviewFile {
  readonly mediaType: string;
  readonly fileName: string;
}

/** What browsers draw as `<img>`. In there an SVG runs nothing and loads nothing. */
const images = new Set([
  "png",
  "jpeg",
  "gif",
  "webp",
  "avif",
  "bmp",
  "x-icon",
  "vnd.microsoft.icon",
  "svg+xml",
  "apng",
]);

/** Types that are text although they are called `application/…`. */
const textTypes =
  /^(?:text\/.+|application\/(?:json|xml|javascript|ecmascript|typescript|sql|toml|graphql|rtf-text|x-(?:sh|httpd-php|yaml|python|perl|tex|ndjson|subrip)|yaml|ld\+json|.+\+(?:json|xml|yaml)))$/;

const byExtension: ReadonlyMap<string, PreviewKind> = new Map([
  ...each("pdf", "pdf"),
  ...each("image", "png jpg jpeg gif webp avif bmp ico svg apng"),
  ...each("markdown", "md markdown mdown mkd"),
  ...each("table", "csv tsv"),
  ...each("audio", "mp3 ogg oga opus wav m4a aac flac weba"),
  ...each("video", "mp4 m4v webm ogv mov"),
  ...each(
    "text",
    "txt text log json jsonl ndjson xml html htm xhtml css scss js mjs cjs ts mts tsx jsx vue py rb rs go java kt kts c h cc cpp hpp cs swift php pl lua r jl sh bash zsh ps1 bat sql toml yaml yml ini cfg conf properties env tex bib rst adoc org diff patch proto graphql gradle cmake makefile dockerfile gitignore srt vtt ics vcf eml geojson gpx kml",
  ),
]);

/** Types that say no more than that it is a file. */
const vague = new Set([
  "",
  "application/octet-stream",
  "binary/octet-stream",
  "application/binary",
  "application/unknown",
]);

/** How a file is shown. */
export function previewKindOf({ mediaType, fileName }: PreviewFile): PreviewKind {
  const type = mediaType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const named = byExtension.get(extensionOf(fileName));
  if (vague.has(type)) return named ?? "none";
  if (type === "application/pdf" || type === "application/x-pdf") return "pdf";
  if (type === "text/markdown" || type === "text/x-markdown") return "markdown";
  if (type === "text/csv" || type === "text/tab-separated-values" || type === "application/csv") return "table";
  // Spreadsheet programs claim CSV files as theirs on some systems.
  if (type === "application/vnd.ms-excel" && named === "table") return "table";
  if (type.startsWith("image/")) return images.has(type.slice("image/".length)) ? "image" : "none";
  if (type.startsWith("audio/")) return "audio";
  if (type.startsWith("video/")) return type === "video/mp2t" && named === "text" ? "text" : "video";
  if (textTypes.test(type)) return named === "markdown" || named === "table" ? named : "text";
  return "none";
}

/** The part of a name after its last dot, in lower case; the whole name where there is none. */
export function extensionOf(fileName: string): string {
  return fileName.slice(fileName.lastIndexOf(".") + 1).toLowerCase();
}

/** The icon of a kind of file. */
export function previewIcon(file: PreviewFile): string {
  switch (previewKindOf(file)) {
    case "pdf":
      return "i-lucide-file-text";
    case "image":
      return "i-lucide-image";
    case "markdown":
    case "text":
      return "i-lucide-file-code";
    case "table":
      return "i-lucide-table";
    case "audio":
      return "i-lucide-music";
    case "video":
      return "i-lucide-film";
    case "none":
      return /zip|tar|gzip|compressed|7z|rar/.test(file.mediaType) ? "i-lucide-file-archive" : "i-lucide-file";
  }
}

function each(kind: PreviewKind, extensions: string): [string, PreviewKind][] {
  return extensions.split(" ").map((extension) => [extension, kind]);
}
