// UploadService: uploads as resources.

import { create } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  AbortUploadResponseSchema,
  CompleteUploadResponseSchema,
  ConcatenateUploadsResponseSchema,
  CreatePartialUploadResponseSchema,
  CreateUploadResponseSchema,
  GetUploadResponseSchema,
  ListUploadsResponseSchema,
  UploadService,
  WatchUploadResponseSchema,
} from "@docket/contracts/gen/docket/storage/v1/upload_service_pb.ts";
import { callOf, subjectOf } from "@docket/runtime/call";
import { openPage } from "@docket/runtime/db/page";
import { idempotent } from "@docket/runtime/db/request_record";
import { ownerOf } from "../domain/owner.ts";
import { diskFull, uploadFailed } from "../store/refusals.ts";
import { digestText, uploadMessage } from "../store/upload_row.ts";
import type { HandlerDeps } from "./deps.ts";
import { workspaceLimits } from "./quota.ts";

/** How long CompleteUpload waits where it is not told. */
const defaultWaitMs = 10_000;

export function uploadHandlers(deps: HandlerDeps): ServiceImpl<typeof UploadService> {
  const { db, uploads, blobs, writers, verifier, digests, watch, limits, free, clock } = deps;
  const { method } = UploadService;

  /** An upload that is announced must leave the floor free when it is all there. */
  const refuseWithoutRoom = async (size: number | null) => {
    if ((await free()) - (size ?? 0) < limits.diskFloorBytes) throw diskFull();
  };

  return {
    async createUpload(request, context) {
      const subject = subjectOf(context);
      const size = request.size === undefined ? null : Number(request.size);
      const own = await workspaceLimits(deps, request.workspaceId, context);
      await refuseWithoutRoom(size);
      const call = { subject, method: method.createUpload, requestId: request.requestId, request, now: clock };
      return await idempotent(db, call, async (tx) => {
        const row = await uploads.create(tx, {
          owner: ownerOf(subject),
          workspaceId: request.workspaceId,
          name: request.name,
          mediaType: request.mediaType,
          size,
          declaredSha256: digestText(request.sha256),
          holderLimits: own,
        });
        return create(CreateUploadResponseSchema, { upload: uploadMessage(row) });
      });
    },

    async createPartialUpload(request, context) {
      const subject = subjectOf(context);
      const size = request.size === undefined ? null : Number(request.size);
      await refuseWithoutRoom(size);
      const call = { subject, method: method.createPartialUpload, requestId: request.requestId, request, now: clock };
      return await idempotent(db, call, async (tx) => {
        const row = await uploads.create(tx, {
          owner: ownerOf(subject),
          workspaceId: null,
          name: "",
          mediaType: "",
          size,
          declaredSha256: null,
          holderLimits: { quotaBytes: limits.partialQuotaBytes, maxFileBytes: limits.maxFileBytes },
        });
        return create(CreatePartialUploadResponseSchema, { upload: uploadMessage(row) });
      });
    },

    async concatenateUploads(request, context) {
      const subject = subjectOf(context);
      const own = await workspaceLimits(deps, request.workspaceId, context);
      const call = { subject, method: method.concatenateUploads, requestId: request.requestId, request, now: clock };
      return await idempotent(db, call, async (tx) => {
        // Whose the parts are is looked at here: a scope names one resource, and these are many.
        const row = await uploads.concatenate(
          tx,
          {
            owner: ownerOf(subject),
            workspaceId: request.workspaceId,
            name: request.name,
            mediaType: request.mediaType,
            size: null,
            declaredSha256: digestText(request.sha256),
            holderLimits: own,
          },
          request.partIds,
        );
        return create(ConcatenateUploadsResponseSchema, { upload: uploadMessage(row) });
      });
    },

    async getUpload({ uploadId }) {
      await writers.settled(uploadId);
      return create(GetUploadResponseSchema, { upload: uploadMessage(await uploads.get(uploadId)) });
    },

    async listUploads(request, context) {
      const owner = ownerOf(subjectOf(context));
      const page = openPage(request, { owner, workspaceId: request.workspaceId ?? null });
      const { rows, nextPageToken } = await uploads.list(owner, request.workspaceId, page);
      return create(ListUploadsResponseSchema, {
        uploads: rows.map((row) => uploadMessage(row, { withRanges: false })),
        nextPageToken,
      });
    },

    async *watchUpload({ uploadId }, context) {
      for await (const row of watch.watch(uploadId, () => uploads.get(uploadId), callOf(context).signal)) {
        yield create(WatchUploadResponseSchema, { upload: uploadMessage(row) });
      }
    },

    async completeUpload({ uploadId, size, sha256, wait }, context) {
      const { signal } = callOf(context);
      let row = await uploads.complete(uploadId, size === undefined ? undefined : Number(size), digestText(sha256));
      if (row.state === "verifying") {
        const digest = digests.finish(uploadId, row.size ?? 0, row.write_count);
        const waitMs = wait === undefined ? defaultWaitMs : durationMs(wait);
        if (digest !== undefined) row = await verifier.settle(uploadId, digest);
        else await uploads.askForVerification([uploadId]);
        if (row.state === "verifying" && waitMs > 0) {
          const over = AbortSignal.any([signal, AbortSignal.timeout(waitMs)]);
          row = await watch.settled(uploadId, () => uploads.get(uploadId), over);
        }
      }
      if (row.state === "failed") throw uploadFailed(row);
      return create(CompleteUploadResponseSchema, { upload: uploadMessage(row) });
    },

    async abortUpload({ uploadId }) {
      const row = await blobs.fail(uploadId, "aborted");
      await writers.abort(uploadId);
      return create(AbortUploadResponseSchema, { upload: uploadMessage(row) });
    },
  };
}
