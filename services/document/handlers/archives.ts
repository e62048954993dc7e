// ArchiveService.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  type ArchiveEntrySchema,
  ArchiveService,
  CreateArchiveResponseSchema,
} from "@docket/contracts/gen/docket/document/v1/archive_service_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { callOf, forward, subjectOf } from "@docket/runtime/call";
import { idempotent } from "@docket/runtime/db/request_record";
import { AppError, notFound } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import { archiveName, fileStep, Steps, stepOf } from "../domain/archive_names.ts";
import { state } from "../domain/state.ts";
import { type Archive, insertArchive, readArchive } from "../store/archives.ts";
import { keyOf, listDocuments } from "../store/document_lists.ts";
import { type DocumentRow, readDocument } from "../store/documents.ts";
import { childFolders, type FolderRow, readFolder } from "../store/folders.ts";
import { newestVersions } from "../store/versions.ts";
import { actorOf, type Deps } from "./deps.ts";

type Entry = MessageInitShape<typeof ArchiveEntrySchema>;

/** How long an archive is remembered, in milliseconds. */
const lifeMs = 3_600_000;
/** The most entries of an archive: the edge keeps them in memory while it writes. */
const mostEntries = 100_000;
/** How many rows are read, and entries sent, at once. */
const atOnce = 200;

export function archiveHandlers(deps: Deps): ServiceImpl<typeof ArchiveService> {
  const { db, clock } = deps;

  return {
    async createArchive(request, context) {
      const replay = {
        subject: subjectOf(context),
        method: ArchiveService.method.createArchive,
        requestId: request.requestId,
        request,
        now: clock,
      };
      return idempotent(db, replay, async (tx) => {
        const createdAt = clock().getTime();
        const archive: Archive = {
          id: newId(),
          workspaceId: request.workspaceId,
          name: request.name ?? "",
          documentIds: request.documentIds.map((id) => id.toLowerCase()),
          folderIds: request.folderIds.map((id) => id.toLowerCase()),
          createdBy: actorOf(context),
          createdAt,
          expiresAt: createdAt + lifeMs,
        };
        await insertArchive(tx, archive);
        const expireTime = timestampFromMs(archive.expiresAt);
        return create(CreateArchiveResponseSchema, { archive: { id: archive.id, expireTime } });
      });
    },

    async *listArchiveEntries({ archiveId }, context) {
      const archive = await readArchive(db.query, archiveId);
      const own = archive?.createdBy === actorOf(context) && archive.expiresAt > clock().getTime();
      if (archive === undefined || !own) throw notFound("archive", archiveId);
      const chosen = await chosenOf(deps, archive, context);
      let name = await nameOf(deps, archive, chosen, context);
      let count = 0;
      for await (const entries of entriesOf(deps, archive.workspaceId, chosen)) {
        count += entries.length;
        if (count > mostEntries) throw new AppError(Reason.LIMIT_REACHED, { metadata: { limit: String(mostEntries) } });
        if (entries.length === 0) continue;
        yield { name, entries };
        name = "";
      }
      if (count === 0) throw notFound("archive", archiveId);
    },
  };
}

/** What of an archive is there and may be seen. */
interface Chosen {
  readonly documents: readonly DocumentRow[];
  readonly folders: readonly FolderRow[];
}

async function chosenOf({ db, authorizer }: Deps, archive: Archive, context: HandlerContext): Promise<Chosen> {
  const [subject, call] = [subjectOf(context), callOf(context)];
  const fits = (row: DocumentRow | FolderRow | undefined) =>
    row?.workspace_id === archive.workspaceId && row.state === state.live;
  const documents: DocumentRow[] = [];
  for (const id of archive.documentIds) {
    const row = await readDocument(db.query, id);
    if (row === undefined || !fits(row)) continue;
    if (((await authorizer.documentFor(subject, id, call))?.access.level ?? 0) > 0) documents.push(row);
  }
  const folders: FolderRow[] = [];
  for (const id of archive.folderIds) {
    const row = await readFolder(db.query, id);
    if (row === undefined || !fits(row)) continue;
    if (((await authorizer.folderFor(subject, id, call))?.access.level ?? 0) > 0) folders.push(row);
  }
  return { documents, folders };
}

/** What the file is called: as was wished, else after the one folder, the folder around all of it, or the workspace. */
async function nameOf(
  { db, authorizer, clients }: Deps,
  archive: Archive,
  { documents, folders }: Chosen,
  context: HandlerContext,
): Promise<string> {
  if (archive.name !== "") return archiveName(archive.name, undefined);
  const request = { workspaceId: archive.workspaceId };
  const workspace = await clients.memberships.getWorkspaceFacts(request, forward(context));
  const date = dateIn(workspace.timeZone, archive.createdAt);
  const [folder] = folders;
  if (folder !== undefined && folders.length === 1 && documents.length === 0) return archiveName(folder.name, date);
  const [around = "", ...others] = new Set([
    ...documents.map((row) => row.folder_id),
    ...folders.map((row) => row.parent_id),
  ]);
  if (around === "" || others.length > 0) return archiveName(workspace.name, date);
  const seen = await authorizer.folderFor(subjectOf(context), around, callOf(context));
  const name = (seen?.access.level ?? 0) > 0 ? (await readFolder(db.query, around))?.name : undefined;
  return archiveName(name ?? workspace.name, date);
}

function dateIn(timeZone: string, at: number): string {
  try {
    return new Intl.DateTimeFormat("sv-SE", { timeZone: timeZone || "UTC", dateStyle: "short" }).format(at);
  } catch {
    return new Date(at).toISOString().slice(0, 10);
  }
}

/** A folder whose contents are still to be listed. */
interface Place {
  readonly folderId: string;
  readonly path: string;
}

/** The entries, a folder before what is in it. Who sees a folder sees everything below it: grants only add. */
async function* entriesOf({ db }: Deps, workspaceId: string, chosen: Chosen): AsyncGenerator<Entry[]> {
  const top = new Steps();
  const places: Place[] = [];
  const enter = (row: FolderRow, path: string): Entry => {
    places.push({ folderId: row.id, path });
    return { path, time: timestampFromMs(row.updated_at) };
  };
  yield chosen.folders.map((row) => enter(row, `${top.give(stepOf(row.name))}/`));
  for (let at = 0; at < chosen.documents.length; at += atOnce) {
    yield await files(db.query, chosen.documents.slice(at, at + atOnce), top, "");
  }
  for (let place = places.pop(); place !== undefined; place = places.pop()) {
    const { folderId, path } = place;
    const steps = new Steps();
    for (let last: FolderRow | undefined, more = true; more; ) {
      const after = last && { nameKey: last.name_key, id: last.id };
      const rows: FolderRow[] = await childFolders(db.query, workspaceId, folderId, state.live, after, atOnce);
      yield rows.map((row) => enter(row, `${path}${steps.give(stepOf(row.name))}/`));
      last = rows.at(-1);
      more = rows.length === atOnce;
    }
    const order = { by: "title", descending: false } as const;
    const branches = [{ list: "folder", folderId }] as const;
    for (let last: DocumentRow | undefined, more = true; more; ) {
      const after = last && keyOf(last, order);
      const options = { dialect: db.dialect, workspaceId, branches, state: state.live, order, after, limit: atOnce };
      const rows: DocumentRow[] = await listDocuments(db.query, options);
      yield await files(db.query, rows, steps, path);
      last = rows.at(-1);
      more = rows.length === atOnce;
    }
  }
}

async function files(
  query: Deps["db"]["query"],
  rows: readonly DocumentRow[],
  steps: Steps,
  path: string,
): Promise<Entry[]> {
  const [first] = rows;
  if (first === undefined) return [];
  const versions = await newestVersions(
    query,
    first.workspace_id,
    rows.map((row) => row.id),
  );
  return rows.flatMap((row) => {
    const version = versions.get(row.id);
    if (version === undefined) return [];
    return {
      path: `${path}${steps.give(fileStep(row.title, version.file_name))}`,
      documentId: row.id,
      number: version.number,
      digest: version.digest,
      size: BigInt(version.size),
      time: timestampFromMs(version.created_at),
    };
  });
}
