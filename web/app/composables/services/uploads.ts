// What an upload asks of the mesh once its bytes are there: where it stands, and the document that becomes of it. Bytes
// themselves go over tus (uploads/sending.ts).

import { DocumentService } from "@docket/contracts/gen/docket/document/v1/document_service_pb.ts";
import { FolderService } from "@docket/contracts/gen/docket/document/v1/folder_service_pb.ts";
import { VersionService } from "@docket/contracts/gen/docket/document/v1/version_service_pb.ts";
import { type Upload, UploadState } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import { UploadService } from "@docket/contracts/gen/docket/storage/v1/upload_service_pb.ts";
import { UsageService } from "@docket/contracts/gen/docket/storage/v1/usage_service_pb.ts";
import type { FolderCalls, FolderParent } from "~/uploads/folders.ts";
import type { JobCalls } from "~/uploads/job.ts";
import { UploadFault } from "~/uploads/trouble.ts";

/** A call that nobody answers counts as a lost connection. */
const timeoutMs = 20_000;

export function useUploadService(): JobCalls & FolderCalls {
  const uploads = useClient(UploadService);
  const usage = useClient(UsageService);
  const documents = useClient(DocumentService);
  const versions = useClient(VersionService);
  const folders = useClient(FolderService);
  return {
    newId,
    async checkRoom(workspaceId, size, signal) {
      const [limits, used] = await Promise.all([
        usage.getLimits({}, { signal, timeoutMs }),
        // Whoever may add documents may still not see the whole workspace.
        usage.getUsage({ workspaceId }, { signal, timeoutMs }).catch(() => undefined),
      ]);
      const refuse = (reason: string, limit: bigint) => {
        throw new UploadFault({ reason, status: 413, metadata: { limit: String(limit) } });
      };
      if (size > limits.maxFileBytes) refuse("FILE_TOO_LARGE", limits.maxFileBytes);
      if (used === undefined) return;
      const { storedBytes, reservedBytes, quotaBytes } = used;
      if (BigInt(size) + storedBytes + reservedBytes > quotaBytes) refuse("QUOTA_EXCEEDED", quotaBytes);
    },
    async getUpload(uploadId, signal): Promise<Upload> {
      return present((await uploads.getUpload({ uploadId }, { signal, timeoutMs })).upload);
    },
    async completeUpload(uploadId, signal) {
      const { upload } = await uploads.completeUpload({ uploadId }, { signal, timeoutMs: 60_000 });
      if (upload?.state === UploadState.FAILED) throw new Error("A failed upload was called complete.");
    },
    async createDocument({ workspaceId, folderId, uploadId, label, note, requestId }) {
      const parent = parentOf(folderId === undefined ? { workspaceId } : { folderId });
      const answer = await documents.createDocument({ parent, uploadId, label, note, requestId }, { timeoutMs });
      return { documentId: present(answer.document).id, versionNumber: 1 };
    },
    async createVersion(documentId, { uploadId, label, note, requestId }) {
      const answer = await versions.createVersion({ documentId, uploadId, label, note, requestId }, { timeoutMs });
      return { documentId, versionNumber: present(answer.version).number };
    },
    async list(parent) {
      const found: { id: string; name: string }[] = [];
      for (let pageToken = ""; ; ) {
        const page = await folders.listFolders({ parent: parentOf(parent), pageSize: 200, pageToken }, { timeoutMs });
        found.push(...page.folders.map(({ id, name }) => ({ id, name })));
        pageToken = page.nextPageToken;
        if (pageToken === "") return found;
      }
    },
    async create(parent, name, requestId) {
      const { folder } = await folders.createFolder({ parent: parentOf(parent), name, requestId }, { timeoutMs });
      return { id: present(folder).id };
    },
  };
}

function parentOf(parent: FolderParent) {
  return "folderId" in parent
    ? ({ case: "folderId", value: parent.folderId } as const)
    : ({ case: "workspaceId", value: parent.workspaceId } as const);
}

function present<Message>(message: Message | undefined): Message {
  if (message === undefined) throw new Error("The answer lacks what was asked for.");
  return message;
}
