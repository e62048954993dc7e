// What a watcher is told of a row of the log: the change itself if they may see it now, without the ids of folders that
// they may not see; and that they see more, or less, when the change moved them.
import { createHash } from "node:crypto";
import { clone } from "@bufbuild/protobuf";
import { type Change, ChangeKind, ChangeSchema } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { levelFor } from "../domain/access.ts";
import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { principalKey } from "../handlers/messages.ts";
import { type Entry, type Told, toldOf } from "./entry.ts";
import type { Resource, Viewer } from "./viewers.ts";

/** Who may list the grants of a resource may be told that one changed. */
const seesGrants = levelFor(Permission.DOCUMENT_EDIT) ?? 4;

/** In order; empty: nothing is told. */
export async function tell(entry: Entry, viewer: Viewer): Promise<Told[]> {
  const { change } = entry;
  if (!viewer.standing.member) return [];
  switch (change.kind) {
    case ChangeKind.ACCESS_GAINED:
    case ChangeKind.ACCESS_LOST:
      return tellAccess(change, viewer);
    case ChangeKind.GRANT_SET:
    case ChangeKind.GRANT_REVOKED:
      return (await viewer.levelOf(grantedOn(change))) >= seesGrants ? [entry] : [];
    case ChangeKind.DOCUMENT_MOVED:
    case ChangeKind.FOLDER_MOVED:
      return tellMove(entry, viewer);
    default:
      return (await sees(change, viewer)) ? [await withoutHidden(entry, viewer)] : [];
  }
}

async function sees(change: Change, viewer: Viewer): Promise<boolean> {
  const { kind, documentId, folderId, taskId, fromFolderId } = change;
  if (kind === ChangeKind.WORKSPACE_DELETED) return true;
  if (viewer.rootLevel > 0 && (documentId !== undefined || folderId !== undefined)) return true;
  if (kind === ChangeKind.DOCUMENT_PURGED || kind === ChangeKind.FOLDER_PURGED) {
    // What is gone has no place any more; who sees where it lay is told.
    return fromFolderId !== undefined && (await viewer.levelOf({ kind: "folder", id: fromFolderId })) > 0;
  }
  if (documentId !== undefined) return (await viewer.levelOf({ kind: "document", id: documentId })) > 0;
  if (folderId !== undefined) return (await viewer.levelOf({ kind: "folder", id: folderId })) > 0;
  return taskId !== undefined && viewer.seesTask(taskId);
}

/** A row for one principal: told when it is the watcher's, and when it made a difference that still holds. */
async function tellAccess(change: Change, viewer: Viewer): Promise<Told[]> {
  const { kind, grant } = change;
  const principal = grant?.principal && principalKey(grant.principal);
  if (principal === undefined || !viewer.principals.has(principal)) return [];
  const resource = grantedOn(change);
  const now = (await viewer.levelOf(resource)) > 0;
  if (kind === ChangeKind.ACCESS_LOST) return now ? [] : [access(change, kind, resource)];
  if (!now) return [];
  const before =
    resource.kind !== "root" && (await viewer.seesWithout(resource, { resourceId: resource.id, principal }));
  return before ? [] : [access(change, kind, resource)];
}

async function tellMove(entry: Entry, viewer: Viewer): Promise<Told[]> {
  const { change } = entry;
  if (viewer.rootLevel > 0) return [entry];
  const { documentId, folderId = "", fromFolderId } = change;
  const resource: Resource =
    documentId === undefined ? { kind: "folder", id: folderId } : { kind: "document", id: documentId };
  const now = (await viewer.levelOf(resource)) > 0;
  const before = await viewer.sawIn(fromFolderId, resource);
  if (!now) return before ? [access(change, ChangeKind.ACCESS_LOST, resource)] : [];
  const moved = await withoutHidden(entry, viewer);
  return before ? [moved] : [access(change, ChangeKind.ACCESS_GAINED, resource), moved];
}

/** The entry itself, or a copy without the ids of folders that the watcher may not see. */
async function withoutHidden(entry: Entry, viewer: Viewer): Promise<Told> {
  const { change } = entry;
  if (viewer.rootLevel > 0) return entry;
  const hides = async (id: string | undefined) =>
    id !== undefined && (await viewer.levelOf({ kind: "folder", id })) === 0;
  // Of a folder's own change the id is what the change is about.
  const hidesFolder = change.documentId !== undefined && (await hides(change.folderId));
  const hidesFrom = await hides(change.fromFolderId);
  if (!hidesFolder && !hidesFrom) return entry;
  const shown = clone(ChangeSchema, change);
  if (hidesFolder) delete shown.folderId;
  if (hidesFrom) delete shown.fromFolderId;
  return toldOf(shown);
}

/** What a grant is on. */
function grantedOn({ documentId, folderId }: Change): Resource {
  if (documentId !== undefined) return { kind: "document", id: documentId };
  return folderId === undefined ? { kind: "root", id: "" } : { kind: "folder", id: folderId };
}

/** Says that access was gained or lost: ids only, and an id of its own that is the same at every delivery. */
function access(cause: Change, kind: ChangeKind, resource: Resource): Told {
  return toldOf({
    id: cause.kind === kind ? cause.id : derivedId(cause.id, kind),
    workspaceId: cause.workspaceId,
    sequence: cause.sequence,
    kind,
    ...(cause.time && { time: cause.time }),
    ...(resource.kind === "document" && { documentId: resource.id }),
    ...(resource.kind === "folder" && { folderId: resource.id }),
  });
}

/** A UUID (version 8) made of another and a kind. */
function derivedId(id: string, kind: ChangeKind): string {
  const hex = createHash("sha256").update(`${id}/${kind}`).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}
