// How a version comes to its contents: storage holds the bytes, and a reference to them is made before the transaction
// that commits the version, confirmed after it, and settled by a worker where a crash came between.
import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { type ChangedVersion, ChangedVersionSchema } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { BlobReference } from "@docket/contracts/gen/docket/storage/v1/blob_pb.ts";
import { forward } from "@docket/runtime/call";
import { AppError, reasonOf } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import type { VersionRow } from "../store/versions.ts";
import type { Deps } from "./deps.ts";

/** How old a reference may be when it is committed, in milliseconds; well below the age at which the worker settles it. */
const freshMs = 30_000;

/**
 * Makes a reference from a new version's id to the upload's contents. Each call takes a new id, so that a reference that
 * the worker is about to release is never the one that this call commits. What went wrong is thrown when asked for.
 */
export async function attachUpload(
  { clients }: Pick<Deps, "clients">,
  context: HandlerContext,
  uploadId: string,
  workspaceId: string,
): Promise<() => BlobReference> {
  const since = performance.now();
  try {
    const request = { uploadId, versionId: newId(), workspaceId };
    const { reference } = await clients.blobs.attachUpload(request, forward(context));
    if (reference === undefined) throw new AppError(Reason.INTERNAL);
    return () => {
      if (performance.now() - since > freshMs) throw new AppError(Reason.DEADLINE_EXCEEDED);
      return reference;
    };
  } catch (error) {
    const told = uploadError(error, uploadId);
    return () => {
      throw told;
    };
  }
}

/** Makes a reference from a new version's id to the contents of another version. */
export async function copyReference(
  { clients }: Pick<Deps, "clients">,
  context: HandlerContext,
  sourceVersionId: string,
): Promise<BlobReference> {
  const request = { sourceVersionId, versionId: newId() };
  const { reference } = await clients.blobs.copyReference(request, forward(context));
  if (reference === undefined) throw new AppError(Reason.INTERNAL);
  return reference;
}

/** A version row made of a reference. */
export function versionFrom(
  reference: BlobReference,
  values: Pick<VersionRow, "document_id" | "number" | "label" | "note" | "created_by" | "created_at">,
): VersionRow {
  return {
    ...values,
    workspace_id: reference.workspaceId,
    id: reference.versionId,
    blob_id: reference.blobId,
    digest: reference.sha256,
    size: Number(reference.size),
    media_type: reference.mediaType,
    file_name: reference.name,
    upload_id: reference.uploadId === "" ? null : reference.uploadId,
    restored_from: null,
    revision: 1,
  };
}

/** What a change tells of a version. */
export function changedVersion(row: VersionRow): ChangedVersion {
  return create(ChangedVersionSchema, {
    id: row.id,
    number: row.number,
    digest: row.digest,
    size: BigInt(row.size),
  });
}

/** Storage's reasons in this service's words. An upload that is nobody's, or somebody else's, is NOT_FOUND as it is. */
function uploadError(error: unknown, uploadId: string): unknown {
  const metadata = { upload_id: uploadId };
  switch (reasonOf(error)) {
    case Reason.UPLOAD_ALREADY_ATTACHED:
      return new AppError(Reason.UPLOAD_CONSUMED, { metadata, cause: error });
    case Reason.UPLOAD_STATE_CONFLICT:
    case Reason.UPLOAD_FAILED:
    case Reason.UPLOAD_WORKSPACE_MISMATCH:
      return new AppError(Reason.UPLOAD_NOT_READY, { metadata, cause: error });
    default:
      return error;
  }
}
