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
}

export function createEvents(logger: Logger): Events {
  return {
    documentCreated: (workspaceId, documentId, size) =>
      logger.info({ workspaceId, documentId, size }, "document created"),
    versionCreated: (documentId, number, size) => logger.info({ documentId, number, size }, "version created"),
    purged: (kind, id, documents, versions) => logger.info({ kind, id, documents, versions }, "purged"),
    grantSet: (resourceId, principal, level) => logger.info({ resourceId, principal, level }, "grant set"),
    grantRevoked: (resourceId, principal) => logger.info({ resourceId, principal }, "grant revoked"),
    referencesSettled: (confirmed, released) => logger.info({ confirmed, released }, "pending references settled"),
    referenceMissing: (versionIds) => logger.error({ versionIds }, "storage holds no bytes for versions that exist"),
    workspaceRemoved: (workspaceId) => logger.info({ workspaceId }, "workspace removed"),
  };
}
