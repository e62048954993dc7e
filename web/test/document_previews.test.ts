// @vitest-environment node
import { describe, expect, it } from "vitest";
import { previewIcon, previewKindOf } from "../app/composables/preview/kind.ts";
import { isWebAddress, linkedText } from "../app/composables/preview/links.ts";
import { readTable } from "../app/composables/preview/table.ts";
import { decodeText, linesOf, prettyJson } from "../app/composables/preview/text.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("how a file is shown", () => {
  it.each([
    ["application/pdf", "a.pdf", "pdf"],
    ["application/octet-stream", "a.PDF", "pdf"],
    ["", "notes.md", "markdown"],
    ["text/plain", "notes.md", "markdown"],
    ["text/plain; charset=utf-8", "notes.txt", "text"],
    ["text/csv", "a", "table"],
    ["application/vnd.ms-excel", "a.csv", "table"],
    ["application/vnd.ms-excel", "a.xls", "none"],
    ["image/svg+xml", "a.svg", "image"],
    ["image/tiff", "a.tiff", "none"],
    ["text/html", "page.html", "text"],
    ["application/xhtml+xml", "page.xhtml", "text"],
    ["text/javascript", "a.js", "text"],
    ["application/json", "a.json", "text"],
    ["audio/mpeg", "a.mp3", "audio"],
    ["video/mp4", "a.mp4", "video"],
    ["video/mp2t", "a.ts", "text"],
    ["application/zip", "a.zip", "none"],
    ["application/octet-stream", "nameless", "none"],
    ["constructor", "a.constructor", "none"],
    ["", "a.constructor", "none"],
  ])("%s called %s is shown as %s", (mediaType, fileName, kind) => {
    expect(previewKindOf({ mediaType, fileName })).toBe(kind);
  });

  it("has an icon for everything", () => {
    expect(previewIcon({ mediaType: "application/zip", fileName: "a.zip" })).toBe("i-lucide-file-archive");
    expect(previewIcon({ mediaType: "", fileName: "" })).toBe("i-lucide-file");
  });
});

describe("bytes as text", () => {
  it("reads UTF-8, with or without its mark", () => {
    expect(decodeText(bytes("Grüße"))).toEqual({ text: "Grüße", encoding: "utf-8" });
    expect(decodeText(bytes("\ufeffGrüße"))?.text).toBe("Grüße");
  });

  it("falls back to windows-1252", () => {
    expect(decodeText(Uint8Array.of(0x47, 0x72, 0xfc, 0xdf, 0x65))).toEqual({
      text: "Grüße",
      encoding: "windows-1252",
    });
  });

  it("reads UTF-16 that says so", () => {
    expect(decodeText(Uint8Array.of(0xff, 0xfe, 0x41, 0))).toEqual({ text: "A", encoding: "utf-16le" });
  });

  it("does not mind a character that was cut at the end", () => {
    expect(decodeText(bytes("Grüße").subarray(0, 3), true)).toEqual({ text: "Gr", encoding: "utf-8" });
  });

  it("refuses what is no text", () => {
    expect(decodeText(Uint8Array.of(0x89, 0x50, 0, 0, 1))).toBeUndefined();
  });

  it("cuts lines, without an empty one at the end", () => {
    expect(linesOf("a\r\nb\n", 10)).toEqual({ lines: ["a", "b"], more: false });
    expect(linesOf("a\nb\nc", 2)).toEqual({ lines: ["a", "b"], more: true });
    expect(linesOf("", 2)).toEqual({ lines: [""], more: false });
  });

  it("sets JSON in lines, and leaves what is none", () => {
    expect(prettyJson('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(prettyJson("{a")).toBe("{a");
  });
});

describe("tables in text", () => {
  it("reads quotes, line breaks in cells, and rows that are too short", () => {
    expect(readTable('a,"b ""c"" d",e\r\n"x\ny",2\n')).toEqual({
      header: ["a", 'b "c" d', "e"],
      rows: [["x\ny", "2", ""]],
      more: false,
    });
  });

  it.each([";", "\t", ","])("finds out that cells are parted by %j", (mark) => {
    expect(readTable(`a${mark}b\n1${mark}2`).rows).toEqual([["1", "2"]]);
  });

  it("stops at the limit, and says so", () => {
    const table = readTable("h\n1\n2\n3\n", 2);
    expect(table.rows).toEqual([["1"], ["2"]]);
    expect(table.more).toBe(true);
    expect(readTable("h\n1\n2\n", 2).more).toBe(false);
  });

  it("reads nothing from nothing", () => {
    expect(readTable("")).toEqual({ header: [], rows: [], more: false });
  });
});

describe("links in plain text", () => {
  it("finds web addresses and leaves the punctuation of the sentence", () => {
    expect(linkedText("See https://example.com/a(b), please (http://example.org).")).toEqual([
      { text: "See " },
      { text: "https://example.com/a(b)", href: "https://example.com/a(b)" },
      { text: ", please (" },
      { text: "http://example.org", href: "http://example.org" },
      { text: ")." },
    ]);
  });

  it.each([
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "//example.com",
    "a",
  ])("does not follow %s", (address) => {
    expect(isWebAddress(address)).toBe(false);
    expect(linkedText(address).some(({ href }) => href !== undefined)).toBe(false);
  });
});
