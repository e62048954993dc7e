// What kind of file a document is, for lists: by the media type that was claimed, and by the name's extension where the
// type says nothing. A claim is shown as a claim; nothing is decided by it but where a document is listed.
import { DocumentKind } from "@docket/contracts/gen/docket/document/v1/document_pb.ts";

/** Types that say only "bytes". */
const generic = new Set([
  "",
  "application/octet-stream",
  "binary/octet-stream",
  "application/binary",
  "application/unknown",
  "application/x-download",
  "application/force-download",
]);

const office =
  /^(?:application\/(?:msword|rtf|vnd\.(?:ms-(?:excel|powerpoint|word|project|works)|openxmlformats-officedocument\.|oasis\.opendocument\.|apple\.(?:pages|numbers|keynote)|visio)|x-iwork-)|text\/rtf)/;
const text =
  /^(?:text\/|application\/(?:json|xml|javascript|ecmascript|typescript|x-javascript|x-typescript|yaml|x-yaml|toml|sql|graphql|x-sh|x-shellscript|x-httpd-php|x-python|x-ndjson|jsonl?|x-tex|x-latex|markdown)$|application\/[a-z0-9.-]+\+(?:json|xml|yaml)$)/;

const extensions: ReadonlyMap<string, DocumentKind> = new Map(
  (
    [
      [DocumentKind.PDF, "pdf"],
      [DocumentKind.IMAGE, "png jpg jpeg gif webp avif bmp tif tiff svg ico heic heif jxl psd"],
      [
        DocumentKind.TEXT,
        "txt md markdown csv tsv log json jsonl xml html htm css js mjs cjs ts mts tsx jsx yaml yml toml ini conf sql sh bash ps1 bat py rb go rs java kt c h cc cpp hpp cs swift php pl lua r scala proto graphql tex rst adoc diff patch vtt srt ics",
      ],
      [DocumentKind.AUDIO, "mp3 m4a aac ogg oga opus wav flac aif aiff wma mid midi"],
      [DocumentKind.VIDEO, "mp4 m4v mov avi mkv webm ogv mpg mpeg wmv flv 3gp"],
      [
        DocumentKind.OFFICE,
        "doc docx docm dot dotx odt ott rtf xls xlsx xlsm xlsb ods ots ppt pptx pptm pps ppsx odp otp odg vsd vsdx pages numbers key",
      ],
    ] as const
  ).flatMap(([kind, names]) => names.split(" ").map((name) => [name, kind] as const)),
);

/** The kind of a file with this claimed type and name. */
export function kindOf(mediaType: string, fileName: string): DocumentKind {
  const type = mediaType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (generic.has(type)) {
    const extension = /\.([a-z0-9]+)$/.exec(fileName.trim().toLowerCase())?.[1] ?? "";
    return extensions.get(extension) ?? DocumentKind.OTHER;
  }
  if (type === "application/pdf" || type === "application/x-pdf") return DocumentKind.PDF;
  if (office.test(type)) return DocumentKind.OFFICE;
  if (type.startsWith("image/")) return DocumentKind.IMAGE;
  if (type.startsWith("audio/")) return DocumentKind.AUDIO;
  if (type.startsWith("video/")) return DocumentKind.VIDEO;
  return text.test(type) ? DocumentKind.TEXT : DocumentKind.OTHER;
}
