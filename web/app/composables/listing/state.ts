// What the parts of a list's page share: the list, what is chosen in it, and what is being done to which rows.

import type { Rows } from "./merge.ts";
import type { ListingQuery } from "./query.ts";
import type { ListingRow } from "./row.ts";
import { emptySelection, type Selection } from "./selection.ts";

/** Where a menu or editor opens, in pixels of the window. */
export interface ListingSpot {
  readonly x: number;
  readonly y: number;
}

export function useListingState(query: () => ListingQuery) {
  const { listing, begin } = useListing(query);
  const rows = computed<Rows>(() => listing.value.rows.value);
  const ids = computed<readonly string[]>(() => rows.value.map(({ id }) => id));
  const selection = shallowRef<Selection>(emptySelection);
  const chosen = computed<Rows>(() => {
    const { ids: wanted } = selection.value;
    return wanted.size === 0 ? [] : rows.value.filter(({ id }) => wanted.has(id));
  });

  watch(listing, () => {
    selection.value = emptySelection;
  });
  watch(ids, (after, before) => {
    if (selection.value !== emptySelection) selection.value = afterRows(selection.value, before, after);
  });

  return {
    query: computed(query),
    listing,
    begin,
    rows,
    ids,
    selection,
    chosen,
    /** The row whose title is being changed; empty: none. */
    renaming: ref(""),
    /** Whether a new folder is being named. */
    naming: ref(false),
    /** The menu of a row, where it is open. */
    menu: shallowRef<{ readonly rows: Rows; readonly at: ListingSpot }>(),
    /** The documents whose tags are being changed. */
    tagging: shallowRef<{ readonly rows: Rows; readonly at: ListingSpot }>(),
    /** What is being moved. */
    moving: shallowRef<Rows>(),
    /** The folder of which details are shown. */
    details: shallowRef<ListingRow>(),
    /** The row to bring into view; the view clears it. */
    seeking: ref(""),
    /** How far something done to many is. */
    progress: shallowRef<{ readonly done: number; readonly total: number }>(),
    /** What could not be done, and why. */
    failures: shallowRef<{ readonly title: string; readonly items: readonly ListingFailure[] }>(),
  };
}

/** One thing that could not be done. */
export interface ListingFailure {
  readonly row: ListingRow;
  readonly message: string;
}

export type ListingState = ReturnType<typeof useListingState>;
