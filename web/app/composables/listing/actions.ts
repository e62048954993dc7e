// What is done to rows. It is shown at once and taken back, with the reason, where it fails.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Rows } from "./merge.ts";
import { type ListingRow, rowOfDocument, rowOfFolder } from "./row.ts";
import type { ListingState } from "./state.ts";

/** What is worth trying again, and how long to wait at least, in milliseconds. */
const patience: Partial<Record<Reason, number>> = {
  [Reason.RATE_LIMITED]: 1000,
  [Reason.OVERLOADED]: 1000,
  [Reason.UNAVAILABLE]: 1000,
  [Reason.CONFLICT]: 100,
};

/** How long one can undo, in milliseconds. */
const undoMs = 8000;

export function useListingActions(state: ListingState) {
  const { t } = useI18n();
  const { faultOf, showFault } = useFaults();
  const toast = useToast();
  const documents = useDocuments();
  const folders = useFolders();
  const { listings } = useListings();
  const app = useNuxtApp();
  const workspaceId = () => state.query.value.workspaceId;

  const lists = () => [...listings.values()].filter(({ query }) => query.workspaceId === workspaceId());

  function take(row: ListingRow): void {
    for (const listing of lists()) listing.take(row);
  }

  function drop(ids: Iterable<string>): void {
    for (const listing of lists()) listing.drop(ids);
  }

  /** Does something to each; what fails is told, and handed to `undo`. Gives what went well. */
  async function each(
    rows: Rows,
    act: (row: ListingRow) => Promise<unknown>,
    failed: string,
    undo: (row: ListingRow) => void,
  ): Promise<Rows> {
    if (rows.length > 10) state.progress.value = { done: 0, total: rows.length };
    const failures = await runBulk(rows, act, {
      retryAfterMs(error) {
        const { reason, retryAfterMs } = faultOf(error);
        const least = patience[reason];
        return least === undefined ? 0 : Math.max(least, retryAfterMs);
      },
      onProgress: (done) => {
        if (state.progress.value !== undefined) state.progress.value = { done, total: rows.length };
      },
    });
    state.progress.value = undefined;
    for (const { item } of failures) undo(item);
    if (rows.length === 1 && failures[0] !== undefined) showFault(failures[0].error, failed);
    else if (failures.length > 0) {
      const items = failures.map(({ item, error }) => ({ row: item, message: faultOf(error).message }));
      state.failures.value = { title: failed, items };
    }
    const bad = new Set(failures.map(({ item }) => item.id));
    return rows.filter(({ id }) => !bad.has(id));
  }

  function tell(title: string, undo?: () => void): void {
    const actions = undo && [
      { label: t("action.undo"), color: "neutral" as const, variant: "outline" as const, onClick: undo },
    ];
    toast.add({ title, icon: "i-lucide-check", color: "neutral", duration: undoMs, actions });
  }

  /** The title of one, the number of more. */
  const named = (rows: Rows) =>
    rows.length === 1 ? t("listing.quoted", { title: rows[0]?.title ?? "" }) : t("listing.things", { n: rows.length });

  async function rename(row: ListingRow, wanted: string): Promise<void> {
    const title = wanted.trim();
    if (title === "" || title === row.title) return;
    take({ ...row, title });
    try {
      take(
        row.type === "folder"
          ? rowOfFolder(await folders.rename(row.id, title, row.etag))
          : rowOfDocument(await documents.update(row.id, { title }, row.etag)),
      );
    } catch (error) {
      take(row);
      showFault(error, t("listing.failed.rename"));
    }
  }

  async function trash(rows: Rows): Promise<void> {
    drop(rows.map(({ id }) => id));
    const remove = (row: ListingRow) => (row.type === "folder" ? folders.remove(row.id) : documents.remove(row.id));
    const gone = await each(rows, remove, t("listing.failed.trash"), take);
    if (gone.length > 0) tell(t("listing.done.trash", { what: named(gone) }), () => void restore(gone));
  }

  /** Takes rows back from the trash. */
  async function restore(rows: Rows): Promise<Rows> {
    for (const listing of lists()) if (listing.query.trashed) listing.drop(rows.map(({ id }) => id));
    const undelete = (row: ListingRow) =>
      row.type === "folder" ? folders.undelete(row.id) : documents.undelete(row.id);
    const back = await each(rows, undelete, t("listing.failed.restore"), take);
    for (const row of back) take({ ...row, trashedAt: 0 });
    for (const listing of lists()) if (listing.query.trashed && back.length < rows.length) void listing.reload();
    return back;
  }

  async function move(rows: Rows, folderId: string, name: string): Promise<void> {
    const moved = rows.filter((row) => row.folderId !== folderId && row.id !== folderId);
    if (moved.length === 0) return;
    const target = { workspaceId: workspaceId(), folderId };
    for (const row of moved) take({ ...row, folderId });
    const go = async (row: ListingRow) => {
      take(
        row.type === "folder"
          ? rowOfFolder(await folders.move(row.id, target))
          : rowOfDocument(await documents.move(row.id, target)),
      );
    };
    const there = await each(moved, go, t("listing.failed.move"), take);
    if (there.length === 0) return;
    tell(t("listing.done.move", { what: named(there), name }), () => void moveBack(there));
  }

  async function moveBack(rows: Rows): Promise<void> {
    const go = async (row: ListingRow) => {
      const target = { workspaceId: workspaceId(), folderId: row.folderId };
      take(
        row.type === "folder"
          ? rowOfFolder(await folders.move(row.id, target))
          : rowOfDocument(await documents.move(row.id, target)),
      );
    };
    await each(rows, go, t("listing.failed.move"), () => undefined);
  }

  /** Adds tags and takes tags away; what others have tagged meanwhile stays. */
  async function tag(rows: Rows, add: readonly string[], remove: readonly string[]): Promise<void> {
    const wanted = (tags: readonly string[]) => retagged(tags, add, remove);
    const changed = rows.filter(
      (row) => row.type === "document" && wanted(row.tags).join("\n") !== row.tags.join("\n"),
    );
    for (const row of changed) take({ ...row, tags: wanted(row.tags) });
    const go = async (row: ListingRow) => {
      try {
        take(rowOfDocument(await documents.update(row.id, { tags: wanted(row.tags) }, row.etag)));
      } catch (error) {
        if (reasonOf(error) !== Reason.ETAG_MISMATCH) throw error;
        const { tags, etag } = await documents.get(row.id);
        take(rowOfDocument(await documents.update(row.id, { tags: wanted(tags) }, etag)));
      }
    };
    await each(changed, go, t("listing.failed.tag"), take);
  }

  async function createFolder(name: string): Promise<boolean> {
    try {
      const row = rowOfFolder(await folders.create(workspaceId(), state.query.value.folderId, name.trim()));
      take(row);
      state.selection.value = goTo(state.selection.value, row.id);
      state.seeking.value = row.id;
      return true;
    } catch (error) {
      showFault(error, t("listing.failed.create"));
      return false;
    }
  }

  /** One document as it is; several things, or a folder, as one file. */
  async function download(rows: Rows): Promise<void> {
    const [first] = rows;
    if (first === undefined) return;
    if (rows.length === 1 && first.type === "document") return fetchFile(`/files/documents/${first.id}`);
    const idsOf = (type: ListingRow["type"]) => rows.filter((row) => row.type === type).map(({ id }) => id);
    const [documentIds, folderIds] = [idsOf("document"), idsOf("folder")];
    const { archiveLimits, useArchives } = await import("~/composables/services/archives.ts");
    if (documentIds.length > archiveLimits.documents || folderIds.length > archiveLimits.folders) {
      toast.add({ color: "warning", icon: "i-lucide-download", title: t("listing.archiveLimit", archiveLimits) });
      return;
    }
    try {
      const archives = await app.runWithContext(() => useArchives());
      fetchFile(await archives.create(workspaceId(), documentIds, folderIds));
    } catch (error) {
      showFault(error, t("listing.failed.download"));
    }
  }

  return { take, drop, each, rename, trash, restore, move, tag, createFolder, download, tell, named };
}

export type ListingActions = ReturnType<typeof useListingActions>;

/** Hands a file to the browser, which stays on the page. */
function fetchFile(address: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = "";
  link.click();
}
