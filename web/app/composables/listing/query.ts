// What a list shows, as its address says: where, in which order, and only what.

import { DocumentKind, DocumentOrder } from "@docket/contracts/gen/docket/document/v1/document_pb.ts";

export interface ListingQuery {
  readonly workspaceId: string;
  /** The folder; empty for the root of the workspace. */
  readonly folderId: string;
  /** Whether it is the trash of the workspace. */
  readonly trashed: boolean;
  readonly order: DocumentOrder;
  /** Only this kind; UNSPECIFIED for all. */
  readonly kind: DocumentKind;
  /** Only with this tag, wherever it lies; empty for all. */
  readonly tag: string;
  /** Only what has these words, wherever it lies; empty for all. */
  readonly words: string;
}

/** The orders by their names in addresses. */
export const listingOrders = {
  title: DocumentOrder.TITLE,
  "-title": DocumentOrder.TITLE_DESCENDING,
  newest: DocumentOrder.NEWEST,
  oldest: DocumentOrder.OLDEST,
  largest: DocumentOrder.LARGEST,
  smallest: DocumentOrder.SMALLEST,
} as const satisfies Record<string, DocumentOrder>;
export type ListingOrder = keyof typeof listingOrders;

/** The kinds by their names in addresses. */
export const listingKinds = {
  pdf: DocumentKind.PDF,
  image: DocumentKind.IMAGE,
  text: DocumentKind.TEXT,
  office: DocumentKind.OFFICE,
  audio: DocumentKind.AUDIO,
  video: DocumentKind.VIDEO,
  rest: DocumentKind.OTHER,
} as const satisfies Record<string, DocumentKind>;
export type ListingKind = keyof typeof listingKinds;

export type AddressQuery = Readonly<Record<string, unknown>>;

export function orderIn(query: AddressQuery): ListingOrder {
  const { sort } = query;
  return typeof sort === "string" && Object.hasOwn(listingOrders, sort) ? (sort as ListingOrder) : "title";
}

export function kindIn(query: AddressQuery): ListingKind | undefined {
  const { kind } = query;
  return typeof kind === "string" && Object.hasOwn(listingKinds, kind) ? (kind as ListingKind) : undefined;
}

/** The query of an address. Words are stronger than the other filters: searching knows none of them. */
export function listingQueryOf(query: AddressQuery, workspaceId: string, folderId = ""): ListingQuery {
  const words = textIn(query.q, 200);
  const kind = kindIn(query);
  return {
    workspaceId,
    folderId,
    trashed: false,
    order: words === "" ? listingOrders[orderIn(query)] : DocumentOrder.UNSPECIFIED,
    kind: words === "" && kind !== undefined ? listingKinds[kind] : DocumentKind.UNSPECIFIED,
    tag: words === "" ? textIn(query.tag, 50) : "",
    words,
  };
}

export function trashQueryOf(workspaceId: string): ListingQuery {
  const nothing = { folderId: "", kind: DocumentKind.UNSPECIFIED, tag: "", words: "" };
  return { workspaceId, trashed: true, order: DocumentOrder.NEWEST, ...nothing };
}

/** Whether it shows what lies anywhere in the workspace, so that each row says where. */
export function isAnywhere({ words, tag, kind, folderId, trashed }: ListingQuery): boolean {
  return trashed || words !== "" || tag !== "" || (kind !== DocumentKind.UNSPECIFIED && folderId === "");
}

/** Whether it shows less than what lies there. */
export function isFiltered({ words, tag, kind }: ListingQuery): boolean {
  return words !== "" || tag !== "" || kind !== DocumentKind.UNSPECIFIED;
}

/** The same for the same list. */
export function listingKey({ workspaceId, folderId, trashed, order, kind, tag, words }: ListingQuery): string {
  return JSON.stringify([workspaceId, folderId, trashed, order, kind, tag.toLowerCase(), words]);
}

function textIn(value: unknown, most: number): string {
  return typeof value === "string" ? value.trim().slice(0, most) : "";
}
