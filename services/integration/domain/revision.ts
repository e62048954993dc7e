// Etags: the row's version, opaque to clients.
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError } from "@docket/runtime/errors";

/** The etag of a version. */
export function etagOf(version: number): string {
  return `r${version.toString(36)}`;
}

/** Throws ETAG_MISMATCH when an etag was given and is not the present one. */
export function checkEtag(given: string | undefined, version: number): void {
  const etag = etagOf(version);
  if (given !== undefined && given !== etag) throw new AppError(Reason.ETAG_MISMATCH, { metadata: { etag } });
}
