import { DocumentKind } from "@docket/contracts/gen/docket/document/v1/document_pb.ts";
import { describe, expect, it } from "@jest/globals";
import { kindOf } from "./kind.ts";

describe("the kind of a file", () => {
  it("is what its media type says, whatever its case and parameters", () => {
    const kinds: [string, DocumentKind][] = [
      ["application/pdf", DocumentKind.PDF],
      ["IMAGE/SVG+XML", DocumentKind.IMAGE],
      ["text/markdown; charset=utf-8", DocumentKind.TEXT],
      ["text/csv", DocumentKind.TEXT],
      ["application/ld+json", DocumentKind.TEXT],
      ["audio/mpeg", DocumentKind.AUDIO],
      ["video/mp4", DocumentKind.VIDEO],
      ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", DocumentKind.OFFICE],
      ["text/rtf", DocumentKind.OFFICE],
      ["application/zip", DocumentKind.OTHER],
    ];
    for (const [type, kind] of kinds) expect([type, kindOf(type, "name.png")]).toEqual([type, kind]);
  });

  it("is what the extension says where the type says nothing", () => {
    expect(kindOf("application/octet-stream", "Scan.PDF")).toBe(DocumentKind.PDF);
    expect(kindOf("", "main.rs")).toBe(DocumentKind.TEXT);
    expect(kindOf("binary/octet-stream", "tape.tar.gz")).toBe(DocumentKind.OTHER);
    expect(kindOf("", "no extension")).toBe(DocumentKind.OTHER);
  });
});
