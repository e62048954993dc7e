// DocumentService.
import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { CreateDocumentResponseSchema } from "@docket/contracts/gen/docket/document/v1/document_pb.ts";
import { DocumentService } from "@docket/contracts/gen/docket/document/v1/document_service_pb.ts";
import type { GrantLevel } from "@docket/contracts/gen/docket/document/v1/grant_pb.ts";
import { OperationKind } from "@docket/contracts/gen/docket/document/v1/operation_pb.ts";
import { callOf, subjectOf } from "@docket/runtime/call";
import { afterCommit } from "@docket/runtime/db/database";
import { idempotent } from "@docket/runtime/db/request_record";
import { newId } from "@docket/runtime/ids";
import { kindOf } from "../domain/kind.ts";
import { titleFromFileName } from "../domain/names.ts";
import { checkEtag, etagOf } from "../domain/revision.ts";
import { isTrashed, state } from "../domain/state.ts";
import { tidyTags } from "../domain/terms.ts";
import { startPurge } from "../jobs/purge.ts";
import { recordChanges } from "../store/changes.ts";
import { type DocumentRow, insertDocument, listFor, tagsOf, updateDocument } from "../store/documents.ts";
import type { Query } from "../store/entities.ts";
import { putGrant } from "../store/grants.ts";
import { placed, trashDocument, undeleteDocument } from "../store/trash.ts";
import { insertVersion, newestVersions } from "../store/versions.ts";
import { attachUpload, changedVersion, versionFrom } from "./contents.ts";
import {
  actorOf,
  type Deps,
  documentOf,
  liveDocument,
  refuseGain,
  refuseLive,
  refuseOtherWorkspace,
  refuseTrashedFolder,
  spotOf,
  targetFor,
  workspaceOf,
} from "./deps.ts";
import { listDocumentsFor, listTagsOf, searchDocumentsFor } from "./document_lists.ts";
import { documentMessage, operationMessage } from "./messages.ts";

export function documentHandlers(deps: Deps): ServiceImpl<typeof DocumentService> {
  const { db, authorizer, clock, confirmations, events } = deps;

  return {
    async createDocument(request, context) {
      const actor = actorOf(context);
      const workspaceId = await workspaceOf(db.query, request.parent);
      const attached = await attachUpload(deps, context, request.uploadId, workspaceId);
      const replay = {
        subject: subjectOf(context),
        method: DocumentService.method.createDocument,
        requestId: request.requestId,
        request,
        now: clock,
        lock: workspaceId,
      };
      return idempotent(db, replay, async (tx) => {
        // Only here, so that a replay whose upload was consumed by the first call gets the first answer.
        const reference = attached();
        const spot = await spotOf(tx, request.parent);
        const at = clock().getTime();
        const document = await insertDocument(tx, {
          id: newId(),
          workspaceId: spot.workspaceId,
          folderId: spot.folderId,
          title: request.title ?? titleFromFileName(reference.name),
          tags: tidyTags(request.tags),
          createdBy: actor,
          at,
          size: Number(reference.size),
          kind: kindOf(reference.mediaType, reference.name),
        });
        const version = versionFrom(reference, {
          document_id: document.id,
          number: 1,
          label: request.label,
          note: request.note,
          created_by: actor,
          created_at: at,
        });
        await insertVersion(tx, version);
        await putGrant(tx, {
          workspace_id: document.workspace_id,
          resource_id: document.id,
          resource_kind: "document",
          principal: actor,
          level: 4,
          created_by: actor,
          updated_at: at,
        });
        await listFor(tx, document, actor);
        await recordChanges(tx, document.workspace_id, at, actor, [
          {
            ...placed(document),
            kind: ChangeKind.DOCUMENT_CREATED,
            version: changedVersion(version),
            etag: etagOf(document.revision),
          },
        ]);
        afterCommit(tx, () => {
          confirmations.add(version.id);
          events.documentCreated(document.workspace_id, document.id, version.size);
        });
        return create(CreateDocumentResponseSchema, { document: documentMessage(document, version) });
      });
    },

    async getDocument(request, context) {
      const standpoint = await authorizer.documentFor(subjectOf(context), request.documentId, callOf(context));
      const row = await documentOf(db.query, request.documentId);
      const document = await withVersion(db.query, row);
      document.access = (standpoint?.access.level ?? 0) as GrantLevel;
      return { document };
    },

    listDocuments: (request, context) => listDocumentsFor(deps, request, context),

    searchDocuments: (request, context) => searchDocumentsFor(deps, request, context),

    listTags: (request, context) => listTagsOf(deps, request, context),

    async updateDocument(request, context) {
      const actor = actorOf(context);
      const paths = request.updateMask?.paths ?? [];
      const { workspace_id: lock } = await documentOf(db.query, request.documentId);
      return db.transaction(
        async (tx) => {
          const row = await liveDocument(tx, request.documentId);
          checkEtag(request.etag, row.revision);
          const title = paths.includes("title") ? request.title : row.title;
          const tags = paths.includes("tags") ? tidyTags(request.tags) : tagsOf(row);
          const values = { title, tags: JSON.stringify(tags) };
          if (values.title === row.title && values.tags === row.tags) return { document: await withVersion(tx, row) };
          const at = clock().getTime();
          const next = await updateDocument(tx, row, { ...values, updated_at: at });
          const document = await withVersion(tx, next);
          await recordChanges(tx, row.workspace_id, at, actor, [
            { ...placed(next), kind: ChangeKind.DOCUMENT_UPDATED, etag: etagOf(next.revision) },
          ]);
          return { document };
        },
        { lock },
      );
    },

    async moveDocument(request, context) {
      const actor = actorOf(context);
      const here = await authorizer.documentFor(subjectOf(context), request.documentId, callOf(context));
      const there = await targetFor(deps, context, request.target);
      const { workspace_id: lock } = await documentOf(db.query, request.documentId);
      return db.transaction(
        async (tx) => {
          const row = await liveDocument(tx, request.documentId);
          const spot = await spotOf(tx, request.target);
          refuseOtherWorkspace(row.workspace_id, spot.workspaceId);
          refuseGain(here, there);
          if (spot.folderId === row.folder_id) return { document: await withVersion(tx, row) };
          checkEtag(request.etag, row.revision);
          const at = clock().getTime();
          const next = await updateDocument(tx, row, { folder_id: spot.folderId, updated_at: at });
          const document = await withVersion(tx, next);
          await recordChanges(tx, row.workspace_id, at, actor, [
            {
              ...placed(next),
              kind: ChangeKind.DOCUMENT_MOVED,
              etag: etagOf(next.revision),
              ...(row.folder_id === "" ? {} : { fromFolderId: row.folder_id }),
            },
          ]);
          return { document };
        },
        { lock },
      );
    },

    async deleteDocument(request, context) {
      const actor = actorOf(context);
      const { workspace_id: lock } = await documentOf(db.query, request.documentId);
      return db.transaction(
        async (tx) => {
          const row = await documentOf(tx, request.documentId);
          if (!isTrashed(row.state)) {
            checkEtag(request.etag, row.revision);
            await trashDocument(tx, row, actor, clock().getTime());
          }
          return { document: await withVersion(tx, await documentOf(tx, row.id)) };
        },
        { lock },
      );
    },

    async undeleteDocument(request, context) {
      const actor = actorOf(context);
      const { workspace_id: lock } = await documentOf(db.query, request.documentId);
      return db.transaction(
        async (tx) => {
          const row = await documentOf(tx, request.documentId);
          if (row.state !== state.live) {
            await refuseTrashedFolder(tx, row.folder_id);
            await undeleteDocument(tx, row, actor, clock().getTime());
          }
          return { document: await withVersion(tx, await documentOf(tx, row.id)) };
        },
        { lock },
      );
    },

    async purgeDocument(request, context) {
      const actor = actorOf(context);
      const { workspace_id: lock } = await documentOf(db.query, request.documentId);
      return db.transaction(
        async (tx) => {
          const row = await documentOf(tx, request.documentId);
          refuseLive("document", row);
          const operation = await startPurge(tx, OperationKind.PURGE_DOCUMENT, row, actor, clock().getTime());
          return { operation: operationMessage(operation) };
        },
        { lock },
      );
    },
  };
}

async function withVersion(query: Query, row: DocumentRow) {
  const versions = await newestVersions(query, row.workspace_id, [row.id]);
  return documentMessage(row, versions.get(row.id));
}
