// One function for each event of the business: what is counted and logged. None decides anything.
import type { Logger } from "@docket/runtime/logger";

export interface Events {
  documentCreated(workspaceId: string, documentId: string, size: number): void;
  versionCreated(documentId: string, number: number, size: number): void;
  purged(kind: "document" | "folder", id: string, documents: number, versions: number): void;
  grantSet(resourceId: string, principal: string, level: number): void;
  grantRevoked(resourceId: string, principal: string): void;
  referencesSettled(confirmed: number, released: number): void;
  /** A version's bytes are not held by storage. Should never happen. */
  referenceMissing(versionIds: readonly string[]): void;
  workspaceRemoved(workspaceId: string): void;
  remindersTold(workspaceId: string, tasks: number): void;
  /** What lay in the trash for too long is being removed. */
  trashEmptied(documents: number, folders: number): void;
  versionsThinned(documentId: string, versions: number): void;
}

export function createEvents(logger: Logger): Events {
  return {
    documentCreated: (workspace_id, document_id, size) =>
      logger.info({ workspace_id, document_id, size }, "document created"),
    versionCreated: (document_id, number, size) => logger.info({ document_id, number, size }, "version created"),
    purged: (kind, id, documents, versions) => logger.info({ kind, id, documents, versions }, "purged"),
    grantSet: (resource_id, principal, level) => logger.info({ resource_id, principal, level }, "grant set"),
    grantRevoked: (resource_id, principal) => logger.info({ resource_id, principal }, "grant revoked"),
    referencesSettled: (confirmed, released) => logger.info({ confirmed, released }, "pending references settled"),
    referenceMissing: (version_ids) => logger.error({ version_ids }, "storage holds no bytes for versions that exist"),
    workspaceRemoved: (workspace_id) => logger.info({ workspace_id }, "workspace removed"),
    remindersTold: (workspace_id, tasks) => logger.info({ workspace_id, tasks }, "tasks that are due were told of"),
    trashEmptied: (documents, folders) => logger.info({ documents, folders }, "the trash is being emptied"),
    versionsThinned: (document_id, versions) => logger.info({ document_id, versions }, "versions thinned out"),
  };
}
