// What uploads ask of the mesh beside sending bytes: whether there is room, where one stands, the folders it goes to, and
// the document or version that becomes of it. Comes with the first file (uploads.ts).

import { UploadState } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import type { FolderCalls, FolderParent } from "~/uploads/folders.ts";
import type { JobCalls } from "~/uploads/job.ts";
import { UploadFault } from "~/uploads/trouble.ts";

/** A call that nobody answers counts as a lost connection. */
const timeoutMs = 20_000;
/** Completing reads all that was sent. */
const completeTimeoutMs = 60_000;

export function useUploadCalls(): JobCalls & FolderCalls {
  const uploads = useUploadService();
  const usage = useUsage();
  const documents = useDocuments();
  const versions = useVersions();
  const folders = useFolders();
  return {
    newId,
    async checkRoom(workspaceId, size, signal) {
      const [limits, used] = await Promise.all([
        usage.limits({ signal, timeoutMs }),
        // Whoever may add documents may still not see the whole workspace.
        usage.of(workspaceId, { signal, timeoutMs }).catch(() => undefined),
      ]);
      const refuse = (reason: string, limit: bigint) => {
        throw new UploadFault({ reason, status: 413, metadata: { limit: String(limit) } });
      };
      if (size > limits.maxFileBytes) refuse("FILE_TOO_LARGE", limits.maxFileBytes);
      if (used === undefined) return;
      const { storedBytes, reservedBytes, quotaBytes } = used;
      if (BigInt(size) + storedBytes + reservedBytes > quotaBytes) refuse("QUOTA_EXCEEDED", quotaBytes);
    },
    getUpload: async (uploadId, signal) => await uploads.get(uploadId, { signal, timeoutMs }),
    async completeUpload(uploadId, signal) {
      const { state } = await uploads.complete(uploadId, { signal, timeoutMs: completeTimeoutMs });
      if (state === UploadState.FAILED) throw new Error("A failed upload was called complete.");
    },
    async createDocument({ workspaceId, folderId, uploadId, label, note, requestId }) {
      const fields = { workspaceId, folderId, uploadId, label, note, requestId };
      return { documentId: (await documents.create(fields, { timeoutMs })).id, versionNumber: 1 };
    },
    async createVersion(documentId, { uploadId, label, note, requestId }) {
      const version = await versions.create(documentId, { uploadId, label, note, requestId }, { timeoutMs });
      return { documentId, versionNumber: version.number };
    },
    async list(parent) {
      const found = await allPages(async (pageToken) => {
        const page = await folders.list(placeOf(parent), pageToken, undefined, { timeoutMs });
        return { items: page.folders, nextPageToken: page.nextPageToken };
      });
      return found.map(({ id, name }) => ({ id, name }));
    },
    async create(parent, name, requestId) {
      const { workspaceId, folderId } = placeOf(parent);
      return { id: (await folders.create(workspaceId, folderId, name, requestId, { timeoutMs })).id };
    },
  };
}

/** A folder says by itself which workspace it is of. */
function placeOf(parent: FolderParent): { readonly workspaceId: string; readonly folderId: string } {
  return { workspaceId: "", folderId: "", ...parent };
}
