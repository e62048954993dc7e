// How pages and changes come together to one list. Rows are in the order of the server: folders by name, then documents
// as asked for; what is listed is the beginning of that order, so a row that belongs behind it is left for its page.

import { DocumentOrder } from "@docket/contracts/gen/docket/document/v1/document_pb.ts";
import type { ListingRow } from "./row.ts";

export type Rows = readonly ListingRow[];

/** The rows with a page behind them. A row that the page has as well stands where the page has it. */
export function withPage(rows: Rows, page: Rows): Rows {
  if (page.length === 0) return rows;
  const again = new Set(page.map(({ id }) => id));
  const kept = rows.some(({ id }) => again.has(id)) ? rows.filter(({ id }) => !again.has(id)) : rows;
  return [...kept, ...page];
}

/** The rows with this one where it belongs; without it when it belongs behind the end and there is more to come. */
export function withRow(rows: Rows, row: ListingRow, order: DocumentOrder, complete: boolean): Rows {
  const at = rows.findIndex(({ id }) => id === row.id);
  const rest = at < 0 ? rows : rows.toSpliced(at, 1);
  const place = placeIn(rest, row, comparing(order));
  if (place === rest.length && !complete && at !== rows.length - 1) return rest;
  return rest.toSpliced(place, 0, row);
}

/** The rows with this one in the place that it has; as they are when it is not among them. */
export function withSame(rows: Rows, row: ListingRow): Rows {
  const at = rows.findIndex(({ id }) => id === row.id);
  return at < 0 ? rows : rows.with(at, row);
}

/** The rows without some. */
export function withoutRows(rows: Rows, ids: ReadonlySet<string>): Rows {
  return rows.some(({ id }) => ids.has(id)) ? rows.filter(({ id }) => !ids.has(id)) : rows;
}

function placeIn(rows: Rows, row: ListingRow, compare: (a: ListingRow, b: ListingRow) => number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(rows[middle] as ListingRow, row) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

type Compare = (a: ListingRow, b: ListingRow) => number;

/** As the server sorts: by code points of the lower-cased title, and by id where that says nothing. */
function comparing(order: DocumentOrder): Compare {
  const documents = comparingDocuments(order);
  return (a, b) => {
    if (a.type !== b.type) return a.type === "folder" ? -1 : 1;
    return a.type === "folder" ? byTitle(a, b) : documents(a, b);
  };
}

function comparingDocuments(order: DocumentOrder): Compare {
  switch (order) {
    case DocumentOrder.TITLE_DESCENDING:
      return (a, b) => byTitle(b, a);
    case DocumentOrder.NEWEST:
      return (a, b) => b.changedAt - a.changedAt || compareText(b.id, a.id);
    case DocumentOrder.OLDEST:
      return (a, b) => a.changedAt - b.changedAt || compareText(a.id, b.id);
    case DocumentOrder.LARGEST:
      return (a, b) => b.size - a.size || compareText(b.id, a.id);
    case DocumentOrder.SMALLEST:
      return (a, b) => a.size - b.size || compareText(a.id, b.id);
    default:
      return byTitle;
  }
}

function byTitle(a: ListingRow, b: ListingRow): number {
  return compareText(sortKey(a.title), sortKey(b.title)) || compareText(a.id, b.id);
}

function sortKey(title: string): string {
  return title.normalize("NFKC").toLowerCase();
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
