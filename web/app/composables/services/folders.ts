// Folders.

import type { CallOptions } from "@connectrpc/connect";
import type { Folder } from "@docket/contracts/gen/docket/document/v1/folder_pb.ts";
import { FolderService } from "@docket/contracts/gen/docket/document/v1/folder_service_pb.ts";
import type { Operation } from "@docket/contracts/gen/docket/document/v1/operation_pb.ts";

/** Which folders. */
export interface FolderList {
  readonly workspaceId: string;
  /** Those in this folder; empty for those in the root. */
  readonly folderId?: string;
  /** What was put into the trash from anywhere in the workspace instead. */
  readonly trashed?: boolean;
}

/** Some folders, and how to go on; an empty token when there are no more. */
export interface FoldersPage {
  readonly folders: Folder[];
  readonly nextPageToken: string;
}

export function useFolders() {
  const client = useClient(FolderService);
  return {
    /** One folder with its path. */
    async get(folderId: string): Promise<Folder> {
      return there((await client.getFolder({ folderId })).folder);
    },
    async list(
      { workspaceId, folderId = "", trashed }: FolderList,
      pageToken = "",
      pageSize = 200,
      options?: CallOptions,
    ): Promise<FoldersPage> {
      const parent = parentOf(workspaceId, folderId);
      return await client.listFolders({ parent, trashed, pageToken, pageSize }, options);
    },
    async create(
      workspaceId: string,
      folderId: string,
      name: string,
      requestId = newId(),
      options?: CallOptions,
    ): Promise<Folder> {
      const parent = parentOf(workspaceId, folderId);
      return there((await client.createFolder({ parent, name, requestId }, options)).folder);
    },
    /** Gives it another name; with an etag only if nobody else changed it since. */
    async rename(folderId: string, name: string, etag?: string): Promise<Folder> {
      return there((await client.updateFolder({ folderId, name, updateMask: { paths: ["name"] }, etag })).folder);
    },
    async move(folderId: string, to: MoveTarget): Promise<Folder> {
      const target =
        to.folderId === ""
          ? ({ case: "targetWorkspaceId", value: to.workspaceId } as const)
          : ({ case: "targetFolderId", value: to.folderId } as const);
      return there((await client.moveFolder({ folderId, target })).folder);
    },
    /** Moves it, with everything in it, to the trash. */
    async remove(folderId: string): Promise<void> {
      await client.deleteFolder({ folderId });
    },
    /** Takes it back from the trash, with what went there with it. */
    async undelete(folderId: string): Promise<void> {
      await client.undeleteFolder({ folderId });
    },
    /** Removes it and everything in it for good; the operation tells how far that is. */
    async purge(folderId: string): Promise<Operation | undefined> {
      return (await client.purgeFolder({ folderId })).operation;
    },
  };
}

function parentOf(workspaceId: string, folderId: string) {
  return folderId === ""
    ? ({ case: "workspaceId", value: workspaceId } as const)
    : ({ case: "folderId", value: folderId } as const);
}
