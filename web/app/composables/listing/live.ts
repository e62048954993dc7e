// Keeps lists true while others change things. Changes name ids only; what a list may hold is asked for anew, all changes
// of a moment together.

import { type Change, ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Listing } from "./listing.ts";
import { type ListingRow, rowOfDocument, rowOfFolder } from "./row.ts";

/** So long changes are gathered, in milliseconds; longer the more there were the last time. */
const gatherMs = { least: 120, perChange: 50, most: 2000 };
/** More than so many at once, and the lists are read anew instead. */
const mostSingly = 40;
/** So many are asked for at the same time. */
const atOnce = 4;

/** What a change asks of the lists. */
export type Wanted = "documents" | "folders" | "gone" | "reload" | undefined;

export function wantedBy({ kind, documentId, folderId }: Pick<Change, "kind" | "documentId" | "folderId">): Wanted {
  switch (kind) {
    case ChangeKind.DOCUMENT_TRASHED:
    case ChangeKind.DOCUMENT_PURGED:
    case ChangeKind.FOLDER_TRASHED:
    case ChangeKind.FOLDER_PURGED:
      return "gone";
    case ChangeKind.DOCUMENT_CREATED:
    case ChangeKind.DOCUMENT_UPDATED:
    case ChangeKind.DOCUMENT_MOVED:
    case ChangeKind.DOCUMENT_UNDELETED:
    case ChangeKind.VERSION_CREATED:
    case ChangeKind.VERSION_UPDATED:
      return "documents";
    case ChangeKind.FOLDER_CREATED:
    case ChangeKind.FOLDER_UPDATED:
    case ChangeKind.FOLDER_MOVED:
    case ChangeKind.FOLDER_UNDELETED:
      return "folders";
    case ChangeKind.ACCESS_GAINED:
      return "reload";
    case ChangeKind.ACCESS_LOST:
      return documentId !== undefined || folderId !== undefined ? "gone" : "reload";
    default:
      return undefined;
  }
}

export function useListingLive(listings: ReadonlyMap<string, Listing>): void {
  const { onChange, onReload } = useLive();
  const documents = useDocuments();
  const folders = useFolders();
  const { know } = useNames();
  const gathered = new Map<string, Change>();
  let waiting = false;
  /** How many changes came the last time. */
  let before = 0;

  const of = (workspaceId: string) => [...listings.values()].filter(({ query }) => query.workspaceId === workspaceId);

  onReload(() => {
    for (const listing of listings.values()) void listing.reload();
  });
  onChange((change) => {
    if (wantedBy(change) === undefined || of(change.workspaceId).length === 0) return;
    // The newest change of a thing tells all that is needed.
    gathered.set(change.documentId ?? change.folderId ?? "", change);
    if (waiting) return;
    waiting = true;
    setTimeout(apply, Math.min(Math.max(gatherMs.least, before * gatherMs.perChange), gatherMs.most));
  });

  async function apply(): Promise<void> {
    const changes = [...gathered.values()];
    gathered.clear();
    waiting = false;
    before = changes.length;
    const singly = changes.length <= mostSingly;
    for (const workspaceId of new Set(changes.map((change) => change.workspaceId))) {
      const all = !singly || changes.some((one) => one.workspaceId === workspaceId && wantedBy(one) === "reload");
      // The trash is kept in the order of what only the server knows; it is small and seldom looked at.
      for (const listing of of(workspaceId)) if (all || listing.query.trashed) void listing.reload();
    }
    if (!singly) return;
    const queue = [...changes];
    const work = async () => {
      for (let change = queue.shift(); change !== undefined; change = queue.shift()) await applyOne(change);
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  }

  async function applyOne(change: Change): Promise<void> {
    const wanted = wantedBy(change);
    const id = change.documentId ?? change.folderId;
    if (id === undefined || wanted === "reload") return;
    const lists = of(change.workspaceId).filter(({ query }) => !query.trashed);
    const known = lists.map(({ rows }) => rows.value.find((row) => row.id === id));
    // One's own change has been shown already.
    if (change.etag !== "" && known.some((row) => row?.etag === change.etag)) return;
    const row = wanted === "gone" ? undefined : await rowNow(id, wanted === "folders");
    if (row === "unknown") {
      for (const listing of lists) void listing.reload();
      return;
    }
    for (const listing of lists) {
      if (row === undefined) listing.drop([id]);
      else listing.take(row);
    }
    if (row !== undefined) await know([row.changedBy], change.workspaceId);
  }

  /** Undefined when it cannot be seen any more. */
  async function rowNow(id: string, folder: boolean): Promise<ListingRow | "unknown" | undefined> {
    try {
      return folder ? rowOfFolder(await folders.get(id)) : rowOfDocument(await documents.get(id));
    } catch (error) {
      return reasonOf(error) === Reason.NOT_FOUND ? undefined : "unknown";
    }
  }
}
