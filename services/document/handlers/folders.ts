// FolderService.
import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { CreateFolderResponseSchema, type Folder } from "@docket/contracts/gen/docket/document/v1/folder_pb.ts";
import { FolderService } from "@docket/contracts/gen/docket/document/v1/folder_service_pb.ts";
import type { GrantLevel } from "@docket/contracts/gen/docket/document/v1/grant_pb.ts";
import { OperationKind } from "@docket/contracts/gen/docket/document/v1/operation_pb.ts";
import { Permission, ResourceKind } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { callOf, subjectOf } from "@docket/runtime/call";
import { openPage } from "@docket/runtime/db/page";
import { idempotent } from "@docket/runtime/db/request_record";
import { notFound } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import type { Standpoint } from "../authorizer.ts";
import { accessOf } from "../domain/access.ts";
import { checkEtag, etagOf } from "../domain/revision.ts";
import { isTrashed, state, stateWithin } from "../domain/state.ts";
import { sortKey } from "../domain/terms.ts";
import { checkDepth, checkMove } from "../domain/tree.ts";
import { startPurge } from "../jobs/purge.ts";
import { recordChanges } from "../store/changes.ts";
import type { Tx } from "../store/entities.ts";
import {
  childFolders,
  type FolderKey,
  type FolderRow,
  folderNames,
  grantedFolders,
  heightOf,
  insertFolder,
  relinkFolder,
  trashedFolders,
  updateFolder,
} from "../store/folders.ts";
import { putGrant } from "../store/grants.ts";
import { ancestorsOf } from "../store/places.ts";
import { trashFolder, undeleteFolder } from "../store/trash.ts";
import {
  actorOf,
  type Deps,
  folderOf,
  liveFolder,
  refuseGain,
  refuseLive,
  refuseOtherWorkspace,
  refuseTrashedFolder,
  spotOf,
  targetFor,
  workspaceOf,
} from "./deps.ts";
import { folderMessage, operationMessage } from "./messages.ts";

export function folderHandlers(deps: Deps): ServiceImpl<typeof FolderService> {
  const { db, authorizer, clock } = deps;

  return {
    async createFolder(request, context) {
      const actor = actorOf(context);
      const lock = await workspaceOf(db.query, request.parent);
      const replay = {
        subject: subjectOf(context),
        method: FolderService.method.createFolder,
        requestId: request.requestId,
        request,
        now: clock,
        lock,
      };
      return idempotent(db, replay, async (tx) => {
        const spot = await spotOf(tx, request.parent);
        checkDepth(spot.ancestorIds.length + 1);
        const row = newFolder(spot.workspaceId, spot.folderId, request.name, actor, clock().getTime());
        await insertFolder(tx, row, spot.ancestorIds);
        await putGrant(tx, {
          workspace_id: row.workspace_id,
          resource_id: row.id,
          resource_kind: "folder",
          principal: actor,
          level: 4,
          created_by: actor,
          updated_at: row.created_at,
        });
        await recordFolder(tx, row, ChangeKind.FOLDER_CREATED, actor);
        return create(CreateFolderResponseSchema, { folder: folderMessage(row) });
      });
    },

    async getFolder(request, context) {
      const standpoint = await authorizer.folderFor(subjectOf(context), request.folderId, callOf(context));
      const row = await folderOf(db.query, request.folderId);
      if (standpoint === undefined) throw notFound("folder", request.folderId);
      const visible = visibleAbove(standpoint, subjectOf(context));
      const names = await folderNames(db.query, row.workspace_id, visible);
      const folder = folderMessage(row, visible.includes(row.parent_id));
      folder.path = visible
        .toReversed()
        .map((id) => ({ $typeName: "docket.document.v1.FolderStep", id, name: names.get(id) ?? "" }));
      folder.access = standpoint.access.level as GrantLevel;
      return { folder };
    },

    async listFolders(request, context) {
      const subject = subjectOf(context);
      const { parent, trashed } = request;
      const page = openPage(request, { parent, trashed, subject: subject.id });
      const after = page.after && { nameKey: String(page.after[0]), id: String(page.after[1]) };
      const rows = await readPage(after, page.size + 1);
      const folders = rows.rows.slice(0, page.size);
      const last = folders.at(-1);
      const more = rows.rows.length > page.size && last !== undefined;
      return {
        folders: folders.map((row) => folderMessage(row, rows.parentVisible)),
        nextPageToken: more ? page.tokenAfter([last.name_key, last.id]) : "",
      };

      async function readPage(from: FolderKey | undefined, limit: number) {
        if (parent.case === "folderId") {
          await authorizer.require(context, ResourceKind.FOLDER, parent.value, Permission.DOCUMENT_VIEW);
          const folder = await folderOf(db.query, parent.value);
          const wanted = stateWithin(folder.state);
          return {
            rows: await childFolders(db.query, folder.workspace_id, folder.id, wanted, from, limit),
            parentVisible: true,
          };
        }
        const workspaceId = parent.value ?? "";
        await authorizer.require(context, ResourceKind.WORKSPACE, workspaceId, Permission.WORKSPACE_VIEW);
        const { access, principals } = await authorizer.rootFor(subject, workspaceId, callOf(context));
        const wanted = trashed ? state.trashed : state.live;
        if (access.level === 0) {
          const granted = await grantedFolders(db.query, workspaceId, principals, wanted, from, limit);
          return { rows: granted, parentVisible: false };
        }
        const rows = trashed
          ? await trashedFolders(db.query, workspaceId, from, limit)
          : await childFolders(db.query, workspaceId, "", state.live, from, limit);
        return { rows, parentVisible: true };
      }
    },

    async updateFolder(request, context) {
      const actor = actorOf(context);
      const { workspace_id: lock } = await folderOf(db.query, request.folderId);
      return db.transaction(
        async (tx) => {
          const row = await liveFolder(tx, request.folderId);
          checkEtag(request.etag, row.revision);
          if (!request.updateMask?.paths.includes("name")) return { folder: folderMessage(row) };
          const values = { name: request.name, name_key: sortKey(request.name), updated_at: clock().getTime() };
          return { folder: await changed(tx, row, values, ChangeKind.FOLDER_UPDATED, actor) };
        },
        { lock },
      );
    },

    async moveFolder(request, context) {
      const actor = actorOf(context);
      const here = await authorizer.folderFor(subjectOf(context), request.folderId, callOf(context));
      const there = await targetFor(deps, context, request.target);
      const { workspace_id: lock } = await folderOf(db.query, request.folderId);
      return db.transaction(
        async (tx) => {
          const row = await liveFolder(tx, request.folderId);
          const spot = await spotOf(tx, request.target);
          refuseOtherWorkspace(row.workspace_id, spot.workspaceId);
          refuseGain(here, there);
          if (spot.folderId === row.parent_id) return { folder: folderMessage(row) };
          checkEtag(request.etag, row.revision);
          checkMove({
            folderId: row.id,
            targetId: spot.folderId === "" ? undefined : spot.folderId,
            targetAncestorIds: spot.ancestorIds,
            height: await heightOf(tx, row.workspace_id, row.id),
          });
          const above = (await ancestorsOf(tx, row.workspace_id, row.id)).slice(1);
          await relinkFolder(tx, row.workspace_id, row.id, above, spot.ancestorIds);
          const values = { parent_id: spot.folderId, updated_at: clock().getTime() };
          return { folder: await changed(tx, row, values, ChangeKind.FOLDER_MOVED, actor) };
        },
        { lock },
      );
    },

    async deleteFolder(request, context) {
      const actor = actorOf(context);
      const { workspace_id: lock } = await folderOf(db.query, request.folderId);
      return db.transaction(
        async (tx) => {
          const row = await folderOf(tx, request.folderId);
          if (isTrashed(row.state)) return { folder: folderMessage(row) };
          checkEtag(request.etag, row.revision);
          await trashFolder(tx, row, actor, clock().getTime());
          return { folder: folderMessage(await folderOf(tx, row.id)) };
        },
        { lock },
      );
    },

    async undeleteFolder(request, context) {
      const actor = actorOf(context);
      const { workspace_id: lock } = await folderOf(db.query, request.folderId);
      return db.transaction(
        async (tx) => {
          const row = await folderOf(tx, request.folderId);
          if (row.state === state.live) return { folder: folderMessage(row) };
          // One that went with a folder above comes back with it.
          await refuseTrashedFolder(tx, row.parent_id);
          await undeleteFolder(tx, row, actor, clock().getTime());
          return { folder: folderMessage(await folderOf(tx, row.id)) };
        },
        { lock },
      );
    },

    async purgeFolder(request, context) {
      const actor = actorOf(context);
      const { workspace_id: lock } = await folderOf(db.query, request.folderId);
      return db.transaction(
        async (tx) => {
          const row = await folderOf(tx, request.folderId);
          refuseLive("folder", row);
          const operation = await startPurge(tx, OperationKind.PURGE_FOLDER, row, actor, clock().getTime());
          return { operation: operationMessage(operation) };
        },
        { lock },
      );
    },
  };
}

/** The folders above one that the asker may see, the nearest first. Those that it may not see are all higher. */
function visibleAbove(
  { place, grants, standing }: Standpoint,
  asker: { kind: "person" | "application"; id: string },
): string[] {
  const above = place.folderIds.slice(1);
  const hiddenFrom = above.findIndex(
    (_, at) => accessOf(asker, standing, { folderIds: above.slice(at) }, grants).level === 0,
  );
  return hiddenFrom < 0 ? [...above] : above.slice(0, hiddenFrom);
}

function newFolder(workspaceId: string, parentId: string, name: string, actor: string, at: number): FolderRow {
  return {
    workspace_id: workspaceId,
    id: newId(),
    parent_id: parentId,
    name,
    name_key: sortKey(name),
    state: state.live,
    trashed_with: null,
    trashed_at: null,
    revision: 1,
    created_by: actor,
    created_at: at,
    updated_at: at,
  };
}

async function changed(
  tx: Tx,
  row: FolderRow,
  values: Partial<FolderRow>,
  kind: ChangeKind,
  actor: string,
): Promise<Folder> {
  await updateFolder(tx, row, values);
  const next = { ...row, ...values, revision: row.revision + 1 };
  await recordFolder(tx, next, kind, actor, row.parent_id);
  return folderMessage(next);
}

function recordFolder(tx: Tx, row: FolderRow, kind: ChangeKind, actor: string, from = row.parent_id): Promise<void> {
  const moved = kind === ChangeKind.FOLDER_MOVED && from !== "";
  return recordChanges(tx, row.workspace_id, row.updated_at, actor, [
    { kind, folderId: row.id, etag: etagOf(row.revision), ...(moved ? { fromFolderId: from } : {}) },
  ]);
}
