// Valid requests of the storage service.

import { Permission, ResourceKind } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { newId } from "@docket/runtime/ids";
import type { BuildersOf } from "./form.ts";
import type { Room } from "./room.ts";
import { beginUpload, storeUpload, writeMessages, writeUpload } from "./uploads.ts";

export const storageBuilders = {
  "docket.storage.v1.UploadService/CreateUpload": (room) => ({
    request: { workspaceId: room.workspaceId, name: "Chart.pdf", mediaType: "application/pdf" },
  }),
  "docket.storage.v1.UploadService/CreatePartialUpload": () => ({ request: { size: 3n } }),
  "docket.storage.v1.UploadService/ConcatenateUploads": async (room) => ({
    request: { workspaceId: room.workspaceId, name: "Chart.pdf", partIds: [await room.part(), await room.part()] },
  }),
  "docket.storage.v1.UploadService/GetUpload": {
    "one's own": async (room) => await named(room, beginUpload),
    "another's": async ({ world, workspaceId }) => ({
      request: { uploadId: await beginUpload(world.extras.colleague, workspaceId) },
      relation: "foreign",
    }),
  },
  "docket.storage.v1.UploadService/ListUploads": async (room) => {
    const { id, relation } = await room.upload(beginUpload);
    const to = { kind: ResourceKind.UPLOAD, permission: Permission.UPLOAD_CREATE, relation };
    return { request: { workspaceId: room.workspaceId, pageSize: 200 }, shows: { id, to } };
  },
  "docket.storage.v1.UploadService/WatchUpload": async (room) => await named(room, beginUpload),
  "docket.storage.v1.UploadService/CompleteUpload": async (room) => await named(room, writeUpload),
  "docket.storage.v1.UploadService/AbortUpload": async (room) => await named(room, beginUpload),
  "docket.storage.v1.TransferService/WriteBlob": async (room) => {
    const { id, relation } = await room.upload(beginUpload);
    return { request: writeMessages(id), relation };
  },
  "docket.storage.v1.TransferService/ReadBlob": async (room) => {
    const { id, relation } = await room.ticket();
    return { request: { ticket: id }, relation };
  },
  "docket.storage.v1.UsageService/GetLimits": () => ({ request: {} }),
  "docket.storage.v1.UsageService/GetUsage": (room) => ({ request: { workspaceId: room.workspaceId } }),
  "docket.storage.v1.BlobService/AttachUpload": async (room) => {
    const { id, relation } = await room.upload(storeUpload);
    return { request: { uploadId: id, versionId: newId(), workspaceId: room.workspaceId }, relation };
  },
  "docket.storage.v1.BlobService/CopyReference": ({ world }) => ({
    request: { sourceVersionId: world.versionId, versionId: newId() },
  }),
  "docket.storage.v1.BlobService/ConfirmReferences": ({ world }) => ({ request: { versionIds: [world.versionId] } }),
  "docket.storage.v1.BlobService/ReleaseReferences": () => ({ request: { versionIds: [newId()] } }),
  "docket.storage.v1.BlobService/ListPendingReferences": () => ({ request: {} }),
  "docket.storage.v1.BlobService/GetReference": ({ world }) => ({ request: { versionId: world.versionId } }),
  "docket.storage.v1.BlobService/CreateReadTicket": ({ world }) => ({ request: { versionId: world.versionId } }),
  "docket.storage.v1.BlobService/ReadReference": ({ world }) => ({ request: { versionId: world.versionId } }),
} satisfies BuildersOf<"docket.storage.v1">;

async function named(room: Room, make: typeof room.upload extends (make: infer Make) => unknown ? Make : never) {
  const { id, relation } = await room.upload(make);
  return { request: { uploadId: id }, relation };
}
