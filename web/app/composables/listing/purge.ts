// Deleting for good: each thing is an operation of its own, which is followed to its end.

import { OperationState } from "@docket/contracts/gen/docket/document/v1/operation_pb.ts";
import type { ListingActions } from "./actions.ts";
import type { Rows } from "./merge.ts";
import type { ListingRow } from "./row.ts";
import type { ListingState } from "./state.ts";

export function useListingPurge(state: ListingState, actions: ListingActions) {
  const { t } = useI18n();
  const documents = useDocuments();
  const folders = useFolders();
  const app = useNuxtApp();

  async function purgeOne(row: ListingRow): Promise<void> {
    const begun = row.type === "folder" ? await folders.purge(row.id) : await documents.purge(row.id);
    if (begun === undefined) return;
    const { isOver, useOperations } = await import("~/composables/services/operations.ts");
    if (isOver(begun)) return;
    const operations = await app.runWithContext(() => useOperations());
    const { state: end } = (await operations.watch(begun.id, () => undefined)) ?? begun;
    if (end === OperationState.FAILED || end === OperationState.CANCELLED) throw new Error(t("listing.failed.purge"));
  }

  /** Gives what is gone. */
  async function purge(rows: Rows): Promise<Rows> {
    const { value: listing } = state.listing;
    listing.drop(rows.map(({ id }) => id));
    state.progress.value = { done: 0, total: rows.length };
    const gone = await actions.each(rows, purgeOne, t("listing.failed.purge"), () => undefined);
    if (gone.length < rows.length) await listing.reload();
    if (gone.length > 0) actions.tell(t("listing.done.purge", { what: actions.named(gone) }));
    return gone;
  }

  return { purge };
}
