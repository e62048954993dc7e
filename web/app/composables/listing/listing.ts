// A list of folders and documents as far as it has been read: pages come behind it as somebody scrolls, changes go into
// it where they belong. A few lists live on after their page was left, and stay true, so that going back finds them as
// they were.

import type { Document } from "@docket/contracts/gen/docket/document/v1/document_pb.ts";
import { DocumentKind } from "@docket/contracts/gen/docket/document/v1/document_pb.ts";
import type { Ref, ShallowRef } from "vue";
import type { NuxtApp } from "#app";
import { type Rows, withoutRows, withPage, withRow, withSame } from "./merge.ts";
import { type ListingQuery, listingKey } from "./query.ts";
import { type ListingRow, rowOfDocument, rowOfFolder } from "./row.ts";

/** Where the next page begins: folders come before documents. */
export interface ListingCursor {
  readonly part: "folders" | "documents";
  readonly token: string;
}

/** Some rows, and where to go on; no cursor when there are no more. */
interface Part {
  readonly rows: Rows;
  readonly cursor: ListingCursor | undefined;
}

/** What crosses from the server's page to the browser. */
type FirstPart = Part | { readonly fault: Fault };

/** Enough for the first screen; a page of the server carries no more. */
const firstSize = 60;
const pageSize = 200;
/** So many lists live on. */
const mostKept = 6;

export interface Listing {
  readonly query: ListingQuery;
  /** The rows read so far, in order. */
  readonly rows: Readonly<ShallowRef<Rows>>;
  /** Whether this is all. */
  readonly complete: Readonly<Ref<boolean>>;
  /** Whether nothing has come yet. */
  readonly waiting: Readonly<Ref<boolean>>;
  /** Why nothing has come, or no more. */
  readonly fault: Readonly<ShallowRef<Fault | undefined>>;
  /** Where it is scrolled to. */
  scrollTop: number;
  /** Reads the next page; at most one at a time. */
  more(): Promise<void>;
  /** Reads everything that there is. */
  all(): Promise<void>;
  /** Reads anew what was read so far, and shows it when it is there. */
  reload(): Promise<void>;
  /** Takes in a row as it is now: where it belongs, or out if it does not. */
  take(row: ListingRow): void;
  /** Takes rows out. Gives what undoes that. */
  drop(ids: Iterable<string>): () => void;
}

interface Kept {
  readonly listings: Map<string, Listing>;
  /** Whether the present page was come to by going back or forth. */
  returning: boolean;
}

const keptBy = new WeakMap<NuxtApp, Kept>();

/** The lists of this visit that are still true, the last used last. */
export function useListings(): Kept {
  const app = useNuxtApp() as NuxtApp;
  const found = keptBy.get(app);
  if (found !== undefined) return found;
  const kept: Kept = { listings: new Map(), returning: false };
  keptBy.set(app, kept);
  if (import.meta.client) {
    effectScope(true).run(() => useListingLive(kept.listings));
    window.addEventListener("popstate", () => {
      kept.returning = true;
    });
    app.hook("page:finish", () => {
      kept.returning = false;
    });
  }
  return kept;
}

/** The list of a query, which may become another one. On the server it is awaited, so that the page holds it. */
export function useListing(query: () => ListingQuery) {
  const kept = useListings();
  const read = useListingParts();
  const { faultOf } = useFaults();
  const first = useState<FirstPart | undefined>(`listing ${listingKey(query())}`, () => undefined);

  function open(wanted: ListingQuery): Listing {
    const { listings, returning } = kept;
    const key = listingKey(wanted);
    const found = listings.get(key) ?? createListing(wanted, read, faultOf);
    listings.delete(key);
    listings.set(key, found);
    if (listings.size > mostKept) listings.delete(listings.keys().next().value as string);
    if (!returning) {
      found.scrollTop = 0;
      // The stream of changes may have been away meanwhile.
      if (!found.waiting.value && found.rows.value.length <= 2 * pageSize) void found.reload();
    }
    return found;
  }

  const listing = shallowRef(open(query()));
  watch(
    () => listingKey(query()),
    () => {
      listing.value = open(query());
      void listing.value.more();
    },
  );

  /** Begins with what the server's page holds, or asks. */
  async function begin(): Promise<void> {
    const { value: mine } = listing;
    if (import.meta.server) {
      first.value = await read(mine.query, undefined, firstSize).catch((error) => ({ fault: faultOf(error) }));
    }
    if (first.value !== undefined && mine.waiting.value) (mine as OwnListing).start(first.value);
    if (import.meta.client) {
      first.value = undefined;
      void mine.more();
    }
  }

  return { listing, begin };
}

/** Reads lists from the services. */
function useListingParts() {
  const documents = useDocuments();
  const folders = useFolders();
  const { know } = useNames();

  async function documentsOf(query: ListingQuery, token: string, size: number): Promise<Part> {
    const { workspaceId, words, kind, folderId } = query;
    const page =
      words === ""
        ? await documents.list(
            { ...query, anywhere: kind !== DocumentKind.UNSPECIFIED && folderId === "" },
            token,
            size,
          )
        : await documents.search(workspaceId, words, token, size);
    return {
      rows: page.documents.map((document: Document) => rowOfDocument(document)),
      cursor: page.nextPageToken === "" ? undefined : { part: "documents", token: page.nextPageToken },
    };
  }

  async function foldersOf(query: ListingQuery, token: string): Promise<Part> {
    const page = await folders.list(query, token, pageSize);
    return {
      rows: page.folders.map(rowOfFolder),
      cursor: { part: page.nextPageToken === "" ? "documents" : "folders", token: page.nextPageToken },
    };
  }

  /** The part at a cursor; the first one without. Whose names are needed is learnt meanwhile. */
  async function partAt(query: ListingQuery, cursor: ListingCursor | undefined, size: number): Promise<Part> {
    if (cursor !== undefined) {
      return cursor.part === "documents"
        ? await documentsOf(query, cursor.token, size)
        : await foldersOf(query, cursor.token);
    }
    if (isFiltered(query)) return await documentsOf(query, "", size);
    // Most places have few folders, so both are asked for at once.
    const [first, second] = await Promise.all([foldersOf(query, ""), documentsOf(query, "", size)]);
    if (first.cursor?.part === "folders") return first;
    return { rows: [...first.rows, ...second.rows], cursor: second.cursor };
  }

  return async (query: ListingQuery, cursor: ListingCursor | undefined, size = pageSize): Promise<Part> => {
    const part = await partAt(query, cursor, size);
    const people = part.rows.map(({ changedBy }) => changedBy);
    await know(people, query.workspaceId);
    return part;
  };
}

type ReadPart = ReturnType<typeof useListingParts>;

interface OwnListing extends Listing {
  /** Begins with what was read elsewhere. */
  start(part: FirstPart): void;
}

export function createListing(query: ListingQuery, read: ReadPart, faultOf: (error: unknown) => Fault): OwnListing {
  const rows = shallowRef<Rows>([]);
  const waiting = ref(true);
  const complete = ref(false);
  const fault = shallowRef<Fault>();
  let cursor: ListingCursor | undefined;
  let busy: Promise<void> | undefined;
  /** Grows with everything that makes an answer on its way too old. */
  let turn = 0;

  function show(part: Part, whole: Rows): void {
    rows.value = whole;
    cursor = part.cursor;
    complete.value = part.cursor === undefined;
    waiting.value = false;
    fault.value = undefined;
  }

  async function readNext(): Promise<void> {
    const mine = turn;
    try {
      const part = await read(query, cursor, waiting.value ? firstSize : pageSize);
      if (mine === turn) show(part, withPage(rows.value, part.rows));
    } catch (error) {
      if (mine === turn) fault.value = faultOf(error);
    }
  }

  async function more(): Promise<void> {
    if (complete.value) return;
    busy ??= readNext().finally(() => {
      busy = undefined;
    });
    await busy;
  }

  return {
    query,
    rows,
    complete,
    waiting,
    fault,
    scrollTop: 0,
    more,
    start(part) {
      if ("fault" in part) fault.value = part.fault;
      else show(part, part.rows);
    },
    async all() {
      while (!complete.value) {
        await more();
        if (fault.value !== undefined) return;
      }
    },
    async reload() {
      turn += 1;
      const mine = turn;
      const wanted = Math.max(rows.value.length, 1);
      try {
        let found: Rows = [];
        let part: Part | undefined;
        do {
          part = await read(query, part?.cursor, part === undefined && wanted <= firstSize ? firstSize : pageSize);
          if (mine !== turn) return;
          found = withPage(found, part.rows);
        } while (found.length < wanted && part.cursor !== undefined);
        show(part, found);
      } catch (error) {
        // What is shown already stays; it is only older than one would wish.
        if (mine === turn && waiting.value) fault.value = faultOf(error);
      }
    },
    take(row) {
      if (waiting.value) return;
      const before = rows.value.find(({ id }) => id === row.id);
      if (!belongs(query, row, before)) rows.value = withoutRows(rows.value, new Set([row.id]));
      else if (query.words !== "" || query.trashed) rows.value = withSame(rows.value, row);
      else rows.value = withRow(rows.value, row, query.order, complete.value);
    },
    drop(ids) {
      const gone = new Set(ids);
      const dropped = rows.value.filter(({ id }) => gone.has(id));
      rows.value = withoutRows(rows.value, gone);
      return () => {
        for (const row of dropped) {
          rows.value = withRow(rows.value, row, query.order, complete.value);
        }
      };
    },
  };
}

/** Whether a row is one of the list's. One that is shown and has not moved still is: only the server knows all of why. */
function belongs(query: ListingQuery, row: ListingRow, before: ListingRow | undefined): boolean {
  if ((row.trashedAt !== 0) !== query.trashed) return false;
  if (query.kind !== DocumentKind.UNSPECIFIED && row.kind !== query.kind) return false;
  if (query.tag !== "") return row.tags.some((tag) => tag.toLowerCase() === query.tag.toLowerCase());
  if (query.words !== "" || query.trashed) return before !== undefined;
  if (query.kind !== DocumentKind.UNSPECIFIED && query.folderId === "") return true;
  return row.folderId === query.folderId || (before !== undefined && before.folderId === row.folderId);
}
