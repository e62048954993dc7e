// BlobService: what the document service holds on to.

import { create } from "@bufbuild/protobuf";
import { durationMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  type BlobReference,
  BlobReferenceSchema,
  BlobReferenceState,
} from "@docket/contracts/gen/docket/storage/v1/blob_pb.ts";
import {
  AttachUploadResponseSchema,
  type BlobService,
  ConfirmReferencesResponseSchema,
  CopyReferenceResponseSchema,
  CreateReadTicketResponseSchema,
  GetReferenceResponseSchema,
  ListPendingReferencesResponseSchema,
  ReadReferenceResponseSchema,
  ReleaseReferencesResponseSchema,
} from "@docket/contracts/gen/docket/storage/v1/blob_service_pb.ts";
import { callOf, subjectOf } from "@docket/runtime/call";
import { openPage } from "@docket/runtime/db/page";
import { notFound } from "@docket/runtime/errors";
import type { Reference } from "../store/references.ts";
import { digestBytes } from "../store/upload_row.ts";
import { resolveRange } from "../transfer/reader.ts";
import type { HandlerDeps } from "./deps.ts";
import { headerOf } from "./transfers.ts";

/** How long a reference is pending before it is listed, where the request does not say. */
const defaultPendingMs = 60_000;

export function blobHandlers({
  references,
  reader,
  tickets,
  clock,
}: Pick<HandlerDeps, "references" | "reader" | "tickets" | "clock">): ServiceImpl<typeof BlobService> {
  const get = async (versionId: string): Promise<Reference> => {
    const reference = await references.find(versionId);
    if (reference === undefined) throw notFound("version", versionId);
    return reference;
  };

  return {
    async attachUpload({ uploadId, versionId, workspaceId }) {
      const reference = await references.attach(uploadId, versionId, workspaceId);
      return create(AttachUploadResponseSchema, { reference: referenceMessage(reference) });
    },

    async copyReference({ sourceVersionId, versionId }) {
      const reference = await references.copy(sourceVersionId, versionId);
      return create(CopyReferenceResponseSchema, { reference: referenceMessage(reference) });
    },

    async confirmReferences({ versionIds }) {
      return create(ConfirmReferencesResponseSchema, { missingVersionIds: await references.confirm(versionIds) });
    },

    async releaseReferences({ versionIds }) {
      await references.release(versionIds);
      return create(ReleaseReferencesResponseSchema);
    },

    async listPendingReferences(request) {
      const { olderThan } = request;
      const ageMs = olderThan === undefined ? defaultPendingMs : durationMs(olderThan);
      const page = openPage(request, { pending: ageMs });
      const { rows, nextPageToken } = await references.pending(clock().getTime() - ageMs, page);
      return create(ListPendingReferencesResponseSchema, { references: rows.map(referenceMessage), nextPageToken });
    },

    async getReference({ versionId }) {
      return create(GetReferenceResponseSchema, { reference: referenceMessage(await get(versionId)) });
    },

    async createReadTicket({ versionId, name, mediaType }, context) {
      const reference = await get(versionId);
      const { text, expiresAt } = await tickets.issue(subjectOf(context), {
        blobId: reference.blob.id,
        name: name || reference.row.name,
        mediaType: mediaType || reference.row.media_type,
      });
      return create(CreateReadTicketResponseSchema, {
        ticket: text,
        expireTime: timestampFromMs(expiresAt),
        reference: referenceMessage(reference),
      });
    },

    async *readReference({ versionId, offset, length }, context) {
      const { row, blob } = await get(versionId);
      const range = resolveRange(Number(blob.size), Number(offset), length === undefined ? undefined : Number(length));
      const header = headerOf(blob, range, { name: row.name, mediaType: row.media_type });
      yield create(ReadReferenceResponseSchema, { part: { case: "header", value: header } });
      for await (const chunk of reader.read(blob, range, callOf(context).signal)) {
        yield create(ReadReferenceResponseSchema, { part: { case: "chunk", value: chunk } });
      }
    },
  };
}

function referenceMessage({ row, blob }: Reference): BlobReference {
  return create(BlobReferenceSchema, {
    versionId: row.version_id,
    blobId: blob.id,
    workspaceId: row.workspace_id,
    size: BigInt(blob.size),
    sha256: digestBytes(blob.sha256),
    name: row.name,
    mediaType: row.media_type,
    state: row.state === "confirmed" ? BlobReferenceState.CONFIRMED : BlobReferenceState.PENDING,
    uploadId: row.upload_id ?? "",
    createTime: timestampFromMs(row.created_at),
  });
}
