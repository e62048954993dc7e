// The headers of tus 1.0, read strictly: a client that is wrong should hear of it, not lose bytes.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { ChecksumAlgorithm } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import { AppError } from "@docket/runtime/errors";
import { type Exchange, headerOf } from "../http/exchange.ts";

export const tusVersion = "1.0.0";
export const tusExtensions =
  "creation,creation-with-upload,creation-defer-length,checksum,expiration,termination,concatenation";
export const contentType = "application/offset+octet-stream";

/** By their names in `Upload-Checksum`. */
export const checksumAlgorithms: Readonly<
  Record<string, { readonly algorithm: ChecksumAlgorithm; readonly bytes: number }>
> = {
  sha1: { algorithm: ChecksumAlgorithm.SHA1, bytes: 20 },
  sha256: { algorithm: ChecksumAlgorithm.SHA256, bytes: 32 },
  md5: { algorithm: ChecksumAlgorithm.MD5, bytes: 16 },
  crc32: { algorithm: ChecksumAlgorithm.CRC32, bytes: 4 },
};

/** A fault of one header, as INVALID_ARGUMENT naming it. */
export function headerFault(field: string, description: string): AppError {
  return new AppError(Reason.INVALID_ARGUMENT, {
    message: `${field}: ${description}`,
    violations: [{ field, rule: "tus", description }],
  });
}

/** A whole number that a header holds; undefined when it is not there. */
export function countOf({ request }: Exchange, name: string): number | undefined {
  const text = headerOf(request.headers, name.toLowerCase());
  if (text === undefined) return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw headerFault(name, "must be a whole number, 0 or more");
  return value;
}

/** `Upload-Metadata`: names with base64 values. */
export function metadataOf({ request }: Exchange): ReadonlyMap<string, string> {
  const text = headerOf(request.headers, "upload-metadata")?.trim() ?? "";
  const metadata = new Map<string, string>();
  if (text === "") return metadata;
  for (const pair of text.split(",")) {
    const [key = "", value = "", ...rest] = pair.trim().split(/ +/);
    if (!/^[\x21-\x7e]+$/.test(key) || rest.length > 0 || metadata.has(key)) {
      throw headerFault(
        "Upload-Metadata",
        "must be pairs of a key, used once, and a base64 value, separated by commas",
      );
    }
    metadata.set(key, decode(value));
  }
  return metadata;
}

function decode(value: string): string {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value)) throw headerFault("Upload-Metadata", "its values must be base64");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(value, "base64"));
  } catch {
    throw headerFault("Upload-Metadata", "its values must be UTF-8 in base64");
  }
}

/** `Upload-Checksum`: an algorithm and a base64 value. */
export function checksumOf({ request }: Exchange): { algorithm: ChecksumAlgorithm; value: Uint8Array } | undefined {
  const text = headerOf(request.headers, "upload-checksum");
  if (text === undefined) return undefined;
  const [name = "", encoded = "", ...rest] = text.trim().split(/ +/);
  const known = checksumAlgorithms[name.toLowerCase()];
  if (known === undefined || rest.length > 0) {
    throw headerFault(
      "Upload-Checksum",
      `must be one of ${Object.keys(checksumAlgorithms).join(", ")} and a base64 value`,
    );
  }
  const value = Buffer.from(encoded, "base64");
  if (value.byteLength !== known.bytes)
    throw headerFault("Upload-Checksum", `must have ${known.bytes} bytes in base64`);
  return { algorithm: known.algorithm, value };
}

export type Concat = { readonly kind: "partial" } | { readonly kind: "final"; readonly partIds: readonly string[] };

const uploadPath = /^\/files\/uploads\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

/** `Upload-Concat`: a partial upload, or a final one of several. Their URLs may be absolute or not; only the ids count. */
export function concatOf({ request }: Exchange): Concat | undefined {
  const text = headerOf(request.headers, "upload-concat")?.trim();
  if (text === undefined) return undefined;
  if (text === "partial") return { kind: "partial" };
  if (!text.startsWith("final;"))
    throw headerFault("Upload-Concat", "must be `partial` or `final;` and URLs of partial uploads");
  const urls = text.slice("final;".length).trim().split(/ +/);
  const partIds = urls.map((url) => {
    const path = URL.canParse(url, "http://edge") ? new URL(url, "http://edge").pathname : "";
    const id = uploadPath.exec(path)?.[1];
    if (id === undefined) throw headerFault("Upload-Concat", "names something that is no upload of this server");
    return id.toLowerCase();
  });
  return { kind: "final", partIds };
}
