// Rows as messages.
import { create, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Actor, ActorSchema } from "@docket/contracts/gen/docket/document/v1/actor_pb.ts";
import {
  type Document,
  type DocumentKind,
  DocumentSchema,
} from "@docket/contracts/gen/docket/document/v1/document_pb.ts";
import { type Folder, FolderSchema } from "@docket/contracts/gen/docket/document/v1/folder_pb.ts";
import {
  type Grant,
  type GrantLevel,
  GrantSchema,
  type GrantPrincipal,
  GrantPrincipalSchema,
} from "@docket/contracts/gen/docket/document/v1/grant_pb.ts";
import {
  type Operation,
  type OperationKind,
  OperationSchema,
  type OperationState,
} from "@docket/contracts/gen/docket/document/v1/operation_pb.ts";
import { type Version, VersionSchema } from "@docket/contracts/gen/docket/document/v1/version_pb.ts";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { members } from "../domain/access.ts";
import { etagOf } from "../domain/revision.ts";
import { isTrashed } from "../domain/state.ts";
import { type DocumentRow, tagsOf } from "../store/documents.ts";
import type { FolderRow } from "../store/folders.ts";
import type { GrantRow } from "../store/grants.ts";
import type { OperationRow } from "../store/operations.ts";
import type { VersionRow } from "../store/versions.ts";

/** Who did it, as rows write it (`person:<id>`); empty: the system. */
export function actorMessage(actor: string): Actor {
  const id = actor.slice(actor.indexOf(":") + 1);
  if (actor.startsWith("person:")) return create(ActorSchema, { actor: { case: "personId", value: id } });
  if (actor.startsWith("application:")) return create(ActorSchema, { actor: { case: "applicationId", value: id } });
  return create(ActorSchema);
}

/** Whom a grant is for, as rows write it. */
export function principalKey({ principal }: GrantPrincipal): string {
  switch (principal.case) {
    case "personId":
      return `person:${principal.value.toLowerCase()}`;
    case "groupId":
      return `group:${principal.value.toLowerCase()}`;
    case "applicationId":
      return `application:${principal.value.toLowerCase()}`;
    default:
      return members;
  }
}

export function principalMessage(key: string): GrantPrincipal {
  const [kind, id = ""] = key.split(":");
  const principal: MessageInitShape<typeof GrantPrincipalSchema>["principal"] =
    kind === "person"
      ? { case: "personId", value: id }
      : kind === "group"
        ? { case: "groupId", value: id }
        : kind === "application"
          ? { case: "applicationId", value: id }
          : { case: "members", value: true };
  return create(GrantPrincipalSchema, { principal });
}

/** A grant; one without a time is the members' as every workspace begins. */
export function grantMessage(row: Omit<GrantRow, "updated_at" | "created_by"> & Partial<GrantRow>): Grant {
  const resource: MessageInitShape<typeof GrantSchema>["resource"] =
    row.resource_kind === "document"
      ? { case: "documentId", value: row.resource_id }
      : row.resource_kind === "folder"
        ? { case: "folderId", value: row.resource_id }
        : { case: "workspaceId", value: row.workspace_id };
  return create(GrantSchema, {
    resource,
    principal: principalMessage(row.principal),
    level: row.level as GrantLevel,
    ...(row.created_by === undefined ? {} : { createdBy: actorMessage(row.created_by) }),
    ...(row.updated_at === undefined ? {} : { updateTime: timestampFromMs(row.updated_at) }),
  });
}

/** A folder. The parent is told only where the asker may see it. */
export function folderMessage(row: FolderRow, parentVisible = true): Folder {
  return create(FolderSchema, {
    id: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    etag: etagOf(row.revision),
    createdBy: actorMessage(row.created_by),
    createTime: timestampFromMs(row.created_at),
    updateTime: timestampFromMs(row.updated_at),
    ...(row.parent_id === "" || !parentVisible ? {} : { parentId: row.parent_id }),
    ...(isTrashed(row.state) ? { trashTime: timestampFromMs(row.trashed_at ?? 0) } : {}),
  });
}

export function documentMessage(row: DocumentRow, version: VersionRow | undefined): Document {
  return create(DocumentSchema, {
    id: row.id,
    workspaceId: row.workspace_id,
    title: row.title,
    tags: tagsOf(row),
    etag: etagOf(row.revision),
    kind: row.kind as DocumentKind,
    createdBy: actorMessage(row.created_by),
    createTime: timestampFromMs(row.created_at),
    updateTime: timestampFromMs(row.updated_at),
    ...(row.folder_id === "" ? {} : { folderId: row.folder_id }),
    ...(version === undefined ? {} : { version: versionMessage(version) }),
    ...(isTrashed(row.state) ? { trashTime: timestampFromMs(row.trashed_at ?? 0) } : {}),
  });
}

export function versionMessage(row: VersionRow): Version {
  return create(VersionSchema, {
    id: row.id,
    documentId: row.document_id,
    number: row.number,
    label: row.label,
    note: row.note,
    digest: row.digest,
    size: BigInt(row.size),
    mediaType: row.media_type,
    fileName: row.file_name,
    createdBy: actorMessage(row.created_by),
    createTime: timestampFromMs(row.created_at),
    etag: etagOf(row.revision),
    ...(row.restored_from === null ? {} : { restoredFrom: row.restored_from }),
  });
}

export function operationMessage(row: OperationRow): Operation {
  const target: MessageInitShape<typeof OperationSchema>["target"] =
    row.target_kind === "document"
      ? { case: "documentId", value: row.target_id }
      : row.target_kind === "folder"
        ? { case: "folderId", value: row.target_id }
        : { case: undefined };
  return create(OperationSchema, {
    id: row.id,
    workspaceId: row.workspace_id,
    kind: row.kind as OperationKind,
    state: row.state as OperationState,
    target,
    doneCount: BigInt(row.done_count),
    totalCount: BigInt(row.total_count),
    createdBy: actorMessage(row.created_by),
    createTime: timestampFromMs(row.created_at),
    updateTime: timestampFromMs(row.updated_at),
    ...(row.error === null ? {} : { error: fromBinary(ErrorInfoSchema, row.error) }),
  });
}
