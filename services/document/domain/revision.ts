// Etags: the row's revision, opaque to clients.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError } from "@docket/runtime/errors";

/** The etag of a revision. */
export function etagOf(revision: number): string {
  return `r${revision.toString(36)}`;
}

/** Throws ETAG_MISMATCH when an etag was given and is not the present one. */
export function checkEtag(given: string | undefined, revision: number): void {
  const etag = etagOf(revision);
  if (given !== undefined && given !== etag) throw new AppError(Reason.ETAG_MISMATCH, { metadata: { etag } });
}
