// Valid requests of the document service: folders, documents, versions and grants.

import { GrantLevel } from "@docket/contracts/gen/docket/document/v1/grant_pb.ts";
import { Permission, ResourceKind } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import type { BuildersOf } from "./form.ts";
import type { Room } from "./room.ts";
import { levelOf } from "./subjects.ts";

const seesDocument = { kind: ResourceKind.DOCUMENT, permission: Permission.DOCUMENT_VIEW };

const inWorkspace = (room: Room) => ({ case: "workspaceId" as const, value: room.workspaceId });
const inFolder = (room: Room) => ({ case: "folderId" as const, value: room.world.folderId });
const onDocument = (room: Room) => ({ case: "documentId" as const, value: room.world.documentId });
const colleague = ({ world }: Room) => ({ principal: { case: "personId" as const, value: world.extras.colleague.id } });
const ownsDocument = ({ subject }: Room) => levelOf(subject.name, "folder") === GrantLevel.OWNER;

export const folderBuilders = {
  "docket.document.v1.FolderService/CreateFolder": {
    "in the root": (room) => ({ request: { parent: inWorkspace(room), name: room.name() } }),
    "in a folder": (room) => ({ request: { parent: inFolder(room), name: room.name() } }),
  },
  "docket.document.v1.FolderService/GetFolder": ({ world }) => ({ request: { folderId: world.folderId } }),
  "docket.document.v1.FolderService/ListFolders": {
    "of the root": (room) => ({
      request: { parent: inWorkspace(room) },
      shows: { id: room.world.folderId, to: seesDocument },
    }),
    "of a folder": (room) => ({
      request: { parent: inFolder(room) },
      shows: { id: room.world.innerFolderId, to: seesDocument },
    }),
  },
  "docket.document.v1.FolderService/UpdateFolder": ({ world }) => ({
    request: { folderId: world.innerFolderId, name: "Inner", updateMask: { paths: ["name"] } },
  }),
  "docket.document.v1.FolderService/MoveFolder": {
    "into a folder": async (room) => ({
      request: { folderId: await room.folder(), target: { case: "targetFolderId", value: room.world.innerFolderId } },
    }),
    "into the root": async (room) => ({
      request: { folderId: await room.folder(), target: { case: "targetWorkspaceId", value: room.workspaceId } },
    }),
  },
  "docket.document.v1.FolderService/DeleteFolder": async (room) => ({ request: { folderId: await room.folder() } }),
  "docket.document.v1.FolderService/UndeleteFolder": async (room) => ({
    request: { folderId: await room.trashedFolder() },
  }),
  "docket.document.v1.FolderService/PurgeFolder": async (room) => ({
    request: { folderId: await room.trashedFolder() },
  }),
} satisfies BuildersOf<"docket.document.v1.FolderService">;

export const documentBuilders = {
  "docket.document.v1.DocumentService/CreateDocument": {
    "in the root": async (room) => ({ request: { parent: inWorkspace(room), uploadId: await room.storedUpload() } }),
    "in a folder": async (room) => ({ request: { parent: inFolder(room), uploadId: await room.storedUpload() } }),
  },
  "docket.document.v1.DocumentService/GetDocument": ({ world }) => ({ request: { documentId: world.documentId } }),
  "docket.document.v1.DocumentService/ListDocuments": {
    "of a folder": (room) => ({
      request: { parent: inFolder(room) },
      shows: { id: room.world.documentId, to: seesDocument },
    }),
    "of a workspace": (room) => ({
      request: { parent: inWorkspace(room), tag: "harbour" },
      shows: { id: room.world.documentId, to: seesDocument },
    }),
  },
  "docket.document.v1.DocumentService/UpdateDocument": ({ world }) => ({
    request: { documentId: world.documentId, title: "Breakwater", updateMask: { paths: ["title"] } },
  }),
  "docket.document.v1.DocumentService/MoveDocument": {
    "into a folder": async (room) => ({
      request: {
        documentId: await room.document(),
        target: { case: "targetFolderId", value: room.world.innerFolderId },
      },
    }),
    "into the root": async (room) => ({
      request: { documentId: await room.document(), target: { case: "targetWorkspaceId", value: room.workspaceId } },
    }),
  },
  "docket.document.v1.DocumentService/DeleteDocument": async (room) => ({
    request: { documentId: await room.document() },
  }),
  "docket.document.v1.DocumentService/UndeleteDocument": async (room) => ({
    request: { documentId: await room.trashedDocument() },
  }),
  "docket.document.v1.DocumentService/PurgeDocument": async (room) => ({
    request: { documentId: await room.trashedDocument() },
  }),
  "docket.document.v1.DocumentService/SearchDocuments": (room) => ({
    request: { workspaceId: room.workspaceId, query: "breakwater" },
    shows: { id: room.world.documentId, to: seesDocument },
  }),
  "docket.document.v1.DocumentService/ListTags": (room) => ({
    request: { workspaceId: room.workspaceId, prefix: "harb" },
    shows: { id: "harbour", to: seesDocument },
  }),
} satisfies BuildersOf<"docket.document.v1.DocumentService">;

export const versionBuilders = {
  "docket.document.v1.VersionService/CreateVersion": async (room) => ({
    request: { documentId: room.world.documentId, uploadId: await room.storedUpload() },
  }),
  "docket.document.v1.VersionService/ListVersions": ({ world }) => ({ request: { documentId: world.documentId } }),
  "docket.document.v1.VersionService/GetVersion": ({ world }) => ({
    request: { documentId: world.documentId, number: 1 },
  }),
  "docket.document.v1.VersionService/UpdateVersion": ({ world }) => ({
    request: { documentId: world.documentId, number: 1, label: "first", updateMask: { paths: ["label"] } },
  }),
  "docket.document.v1.VersionService/RestoreVersion": ({ world }) => ({
    request: { documentId: world.documentId, number: 1 },
  }),
  "docket.document.v1.VersionService/CreateDownloadTicket": ({ world }) => ({
    request: { documentId: world.documentId, number: 1 },
  }),
} satisfies BuildersOf<"docket.document.v1.VersionService">;

export const grantBuilders = {
  "docket.document.v1.GrantService/ListGrants": {
    "on the root": (room) => ({ request: { resource: inWorkspace(room) } }),
    "on a folder": (room) => ({ request: { resource: inFolder(room) } }),
    "on a document": (room) => ({ request: { resource: onDocument(room) } }),
  },
  "docket.document.v1.GrantService/SetGrant": {
    "on the root": (room) => ({
      request: { resource: inWorkspace(room), principal: colleague(room), level: GrantLevel.VIEWER },
    }),
    "on a folder": (room) => ({
      request: { resource: inFolder(room), principal: colleague(room), level: GrantLevel.VIEWER },
    }),
    "on a document": (room) => ({
      request: { resource: onDocument(room), principal: colleague(room), level: GrantLevel.VIEWER },
    }),
  },
  "docket.document.v1.GrantService/RevokeGrant": {
    "on the root": (room) => ({ request: { resource: inWorkspace(room), principal: colleague(room) } }),
    "on a folder": (room) => ({ request: { resource: inFolder(room), principal: colleague(room) } }),
    "on a document": (room) => ({ request: { resource: onDocument(room), principal: colleague(room) } }),
  },
  "docket.document.v1.GrantService/ExplainAccess": {
    "to the root": (room) => ({ request: { resource: inWorkspace(room) } }),
    "to a folder": (room) => ({ request: { resource: inFolder(room) } }),
    "to a document": (room) => ({ request: { resource: onDocument(room) } }),
    // "About oneself one needs to see the resource; about others one needs to own it."
    "of another": (room) => ({
      request: { resource: onDocument(room), personId: room.world.extras.colleague.id },
      more: ownsDocument(room),
    }),
  },
} satisfies BuildersOf<"docket.document.v1.GrantService">;

export const archiveBuilders = {
  "docket.document.v1.ArchiveService/CreateArchive": ({ world }) => ({
    request: { workspaceId: world.workspaceId, documentIds: [world.documentId], folderIds: [world.folderId] },
  }),
  "docket.document.v1.ArchiveService/ListArchiveEntries": async (room) => ({
    request: { archiveId: (await room.archive()).id },
    shows: { id: room.world.documentId, to: seesDocument },
  }),
} satisfies BuildersOf<"docket.document.v1.ArchiveService">;
