// Many documents as one file.

import { ArchiveService } from "@docket/contracts/gen/docket/document/v1/archive_service_pb.ts";

/** What one archive takes at most. */
export const archiveLimits = { documents: 500, folders: 100 } as const;

export function useArchives() {
  const client = useClient(ArchiveService);
  return {
    /** Notes what is wanted, and gives the address of the file. */
    async create(workspaceId: string, documentIds: string[], folderIds: string[]): Promise<string> {
      const { archive } = await client.createArchive({ workspaceId, documentIds, folderIds, requestId: newId() });
      if (archive === undefined) throw new Error("The answer holds no archive.");
      return `/files/archives/${archive.id}`;
    },
  };
}
