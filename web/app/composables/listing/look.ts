import type { ListingRow } from "./row.ts";

/** What a line or card is told about its row; every text is ready, so that drawing it is cheap. */
export interface ListingRowLook {
  readonly row: ListingRow;
  /** Its place in the list, from 0. */
  readonly index: number;
  readonly chosen: boolean;
  /** Whether anything is chosen at all. */
  readonly choosing: boolean;
  /** Whether the keyboard is at it. */
  readonly active: boolean;
  readonly renaming: boolean;
  readonly draggable: boolean;
  /** When it changed or went to the trash, in milliseconds since 1970. */
  readonly when: number;
  readonly whenText: string;
  /** Who changed it. */
  readonly who: string;
  readonly size: string;
  /** Where it lies; empty while that is not known. */
  readonly place: string;
  /** Whether rows say where they lie. */
  readonly anywhere: boolean;
  readonly trashed: boolean;
  /** Where it leads; undefined: nowhere. */
  readonly href: string | undefined;
}

/** The columns of lines and of their head, by the room that there is. */
export function listingColumns(anywhere: boolean): string {
  return anywhere ? columnsAnywhere : columnsHere;
}

const columns = "grid gap-x-3 pe-2 grid-cols-[2.75rem_minmax(0,1fr)_2.25rem]";
const columnsHere = `${columns} @2xl:grid-cols-[2.25rem_minmax(0,1fr)_5.5rem_8rem_2.25rem] @4xl:grid-cols-[2.25rem_minmax(0,1fr)_3.5rem_5.5rem_8rem_9rem_2.25rem]`;
const columnsAnywhere = `${columns} @2xl:grid-cols-[2.25rem_minmax(0,1fr)_5.5rem_8rem_2.25rem] @3xl:grid-cols-[2.25rem_minmax(0,3fr)_minmax(0,2fr)_5.5rem_8rem_2.25rem] @4xl:grid-cols-[2.25rem_minmax(0,3fr)_minmax(0,2fr)_3.5rem_5.5rem_8rem_9rem_2.25rem]`;
