// @vitest-environment node
import { DocumentKind, DocumentOrder } from "@docket/contracts/gen/docket/document/v1/document_pb.ts";
import { describe, expect, it } from "vitest";
import { withoutRows, withPage, withRow, withSame } from "../app/composables/listing/merge.ts";
import type { ListingRow } from "../app/composables/listing/row.ts";

function row(title: string, fields: Partial<ListingRow> = {}): ListingRow {
  return {
    type: "document",
    id: title,
    title,
    etag: "1",
    folderId: "",
    changedAt: 0,
    changedBy: "",
    trashedAt: 0,
    tags: [],
    kind: DocumentKind.OTHER,
    version: 1,
    size: 0,
    mediaType: "",
    ...fields,
  };
}
const folder = (title: string) => row(title, { type: "folder" });
const titles = (rows: readonly ListingRow[]) => rows.map(({ title }) => title);

describe("withPage", () => {
  it("puts a page behind what is there", () => {
    expect(titles(withPage([row("a")], [row("b"), row("c")]))).toEqual(["a", "b", "c"]);
  });

  it("shows a row once when the page brings it again", () => {
    expect(titles(withPage([row("a"), row("b")], [row("a"), row("c")]))).toEqual(["b", "a", "c"]);
  });

  it("gives the same list for an empty page", () => {
    const rows = [row("a")];
    expect(withPage(rows, [])).toBe(rows);
  });
});

describe("withRow", () => {
  it("puts a new row where it belongs, whatever its case", () => {
    expect(titles(withRow([row("a"), row("c")], row("B"), DocumentOrder.TITLE, false))).toEqual(["a", "B", "c"]);
  });

  it("puts folders before documents in every order", () => {
    const rows = [folder("z"), row("a", { size: 9 })];
    expect(titles(withRow(rows, folder("m"), DocumentOrder.LARGEST, false))).toEqual(["m", "z", "a"]);
  });

  it("leaves a row that belongs behind the end to the page that brings it", () => {
    const rows = [row("a"), row("b")];
    expect(titles(withRow(rows, row("c"), DocumentOrder.TITLE, false))).toEqual(["a", "b"]);
    expect(titles(withRow(rows, row("c"), DocumentOrder.TITLE, true))).toEqual(["a", "b", "c"]);
  });

  it("keeps the last row when it changes in its place", () => {
    const rows = [row("a"), row("b")];
    expect(withRow(rows, row("b", { etag: "2" }), DocumentOrder.TITLE, false).at(-1)?.etag).toBe("2");
  });

  it("moves a row that was renamed", () => {
    const rows = [row("a"), row("b"), row("c")];
    expect(titles(withRow(rows, row("bb", { id: "a" }), DocumentOrder.TITLE, true))).toEqual(["b", "bb", "c"]);
  });

  it("knows each order, and decides between equals by the id", () => {
    const at = (changedAt: number, size: number, id: string) => row(id, { id, changedAt, size });
    const rows = [at(1, 3, "a"), at(2, 2, "b"), at(2, 1, "c")];
    const sorted = (order: DocumentOrder) =>
      titles(rows.reduce<readonly ListingRow[]>((all, one) => withRow(all, one, order, true), []));
    expect(sorted(DocumentOrder.NEWEST)).toEqual(["c", "b", "a"]);
    expect(sorted(DocumentOrder.OLDEST)).toEqual(["a", "b", "c"]);
    expect(sorted(DocumentOrder.LARGEST)).toEqual(["a", "b", "c"]);
    expect(sorted(DocumentOrder.SMALLEST)).toEqual(["c", "b", "a"]);
    expect(sorted(DocumentOrder.TITLE_DESCENDING)).toEqual(["c", "b", "a"]);
  });
});

describe("withSame and withoutRows", () => {
  it("change a row in its place, and only if it is there", () => {
    const rows = [row("a"), row("b")];
    expect(titles(withSame(rows, row("z", { id: "a" })))).toEqual(["z", "b"]);
    expect(withSame(rows, row("x"))).toBe(rows);
  });

  it("take rows out, and give the same list where there is nothing to take", () => {
    const rows = [row("a"), row("b")];
    expect(titles(withoutRows(rows, new Set(["a"])))).toEqual(["b"]);
    expect(withoutRows(rows, new Set(["x"]))).toBe(rows);
  });
});
