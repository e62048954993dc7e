// VersionService.
import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import {
  CreateVersionResponseSchema,
  RestoreVersionResponseSchema,
  VersionService,
} from "@docket/contracts/gen/docket/document/v1/version_service_pb.ts";
import type { BlobReference } from "@docket/contracts/gen/docket/storage/v1/blob_pb.ts";
import { forward, subjectOf } from "@docket/runtime/call";
import { afterCommit } from "@docket/runtime/db/database";
import { openPage } from "@docket/runtime/db/page";
import { idempotent } from "@docket/runtime/db/request_record";
import { notFound } from "@docket/runtime/errors";
import { kindOf } from "../domain/kind.ts";
import { checkEtag, etagOf } from "../domain/revision.ts";
import { recordChanges } from "../store/changes.ts";
import { updateDocument } from "../store/documents.ts";
import type { Query, Tx } from "../store/entities.ts";
import { applyTaskRules } from "../store/task_hooks.ts";
import { placed } from "../store/trash.ts";
import { insertVersion, listVersions, readVersion, updateVersion, type VersionRow } from "../store/versions.ts";
import { attachUpload, changedVersion, copyReference, versionFrom } from "./contents.ts";
import { actorOf, type Deps, documentOf, liveDocument } from "./deps.ts";
import { versionMessage } from "./messages.ts";

/** What a new version is made of, beside its contents. */
interface NewVersion {
  readonly documentId: string;
  readonly documentEtag: string | undefined;
  readonly label: string;
  readonly note: string;
  readonly restoredFrom: number | null;
  readonly actor: string;
}

export function versionHandlers(deps: Deps): ServiceImpl<typeof VersionService> {
  const { db, clients, clock, confirmations, events } = deps;

  /** Adds a version, applies the tasks' rules and tells of both, in one transaction. */
  async function addVersion(tx: Tx, reference: BlobReference, made: NewVersion): Promise<VersionRow> {
    const document = await liveDocument(tx, made.documentId);
    checkEtag(made.documentEtag, document.revision);
    const at = clock().getTime();
    const number = document.last_number + 1;
    const next = await updateDocument(tx, document, {
      last_number: number,
      updated_at: at,
      size: Number(reference.size),
      kind: kindOf(reference.mediaType, reference.name),
    });
    const basis = { document_id: document.id, number, created_by: made.actor, created_at: at };
    const version = {
      ...versionFrom(reference, { ...basis, label: made.label, note: made.note }),
      restored_from: made.restoredFrom,
    };
    await insertVersion(tx, version);
    const ofTasks = await applyTaskRules(tx, next, version, at);
    await recordChanges(tx, document.workspace_id, at, made.actor, [
      {
        ...placed(next),
        kind: ChangeKind.VERSION_CREATED,
        version: changedVersion(version),
        etag: etagOf(version.revision),
      },
      ...ofTasks,
    ]);
    afterCommit(tx, () => {
      confirmations.add(version.id);
      events.versionCreated(document.id, number, version.size);
    });
    return version;
  }

  return {
    async createVersion(request, context) {
      const actor = actorOf(context);
      const document = await documentOf(db.query, request.documentId);
      const attached = await attachUpload(deps, context, request.uploadId, document.workspace_id);
      const replay = {
        subject: subjectOf(context),
        method: VersionService.method.createVersion,
        requestId: request.requestId,
        request,
        now: clock,
        lock: document.workspace_id,
      };
      return idempotent(db, replay, async (tx) => {
        const { documentId, documentEtag, label, note } = request;
        const made = { documentId, documentEtag, label, note, restoredFrom: null, actor };
        const version = await addVersion(tx, attached(), made);
        return create(CreateVersionResponseSchema, { version: versionMessage(version) });
      });
    },

    async restoreVersion(request, context) {
      const actor = actorOf(context);
      const document = await documentOf(db.query, request.documentId);
      const source = await versionOf(db.query, document.workspace_id, document.id, request.number);
      const reference = await copyReference(deps, context, source.id);
      const replay = {
        subject: subjectOf(context),
        method: VersionService.method.restoreVersion,
        requestId: request.requestId,
        request,
        now: clock,
        lock: document.workspace_id,
      };
      return idempotent(db, replay, async (tx) => {
        const { documentId, documentEtag, note } = request;
        const made = { documentId, documentEtag, label: "", note, restoredFrom: source.number, actor };
        const version = await addVersion(tx, named(reference, source), made);
        return create(RestoreVersionResponseSchema, { version: versionMessage(version) });
      });
    },

    async listVersions(request) {
      const document = await documentOf(db.query, request.documentId);
      const page = openPage(request, { documentId: document.id });
      const below = page.after && Number(page.after[0]);
      const rows = await listVersions(db.query, document.workspace_id, document.id, below, page.size + 1);
      const versions = rows.slice(0, page.size);
      const last = versions.at(-1);
      return {
        versions: versions.map(versionMessage),
        nextPageToken: rows.length > page.size && last !== undefined ? page.tokenAfter([last.number]) : "",
      };
    },

    async getVersion(request) {
      const document = await documentOf(db.query, request.documentId);
      return { version: versionMessage(await versionOf(db.query, document.workspace_id, document.id, request.number)) };
    },

    async updateVersion(request, context) {
      const actor = actorOf(context);
      const paths = request.updateMask?.paths ?? [];
      const { workspace_id: lock } = await documentOf(db.query, request.documentId);
      return db.transaction(
        async (tx) => {
          const document = await liveDocument(tx, request.documentId);
          const row = await versionOf(tx, document.workspace_id, document.id, request.number);
          checkEtag(request.etag, row.revision);
          const label = paths.includes("label") ? request.label : row.label;
          const note = paths.includes("note") ? request.note : row.note;
          if (label === row.label && note === row.note) return { version: versionMessage(row) };
          const next = await updateVersion(tx, row, { label, note });
          await recordChanges(tx, document.workspace_id, clock().getTime(), actor, [
            {
              ...placed(document),
              kind: ChangeKind.VERSION_UPDATED,
              version: changedVersion(next),
              etag: etagOf(next.revision),
            },
          ]);
          return { version: versionMessage(next) };
        },
        { lock },
      );
    },

    async createDownloadTicket(request, context) {
      const document = await documentOf(db.query, request.documentId);
      const row = await versionOf(db.query, document.workspace_id, document.id, request.number);
      const asked = { versionId: row.id, name: row.file_name, mediaType: row.media_type };
      const { ticket, expireTime } = await clients.blobs.createReadTicket(asked, forward(context));
      return { ticket, version: versionMessage(row), ...(expireTime === undefined ? {} : { expireTime }) };
    },
  };
}

async function versionOf(query: Query, workspaceId: string, documentId: string, number: number): Promise<VersionRow> {
  const row = await readVersion(query, workspaceId, documentId, number);
  if (row === undefined) throw notFound("version", `${documentId}/${number}`);
  return row;
}

/** A restored version has the names of its source, whatever storage calls the blob. */
function named(reference: BlobReference, source: VersionRow): BlobReference {
  return { ...reference, uploadId: "", name: source.file_name, mediaType: source.media_type };
}
