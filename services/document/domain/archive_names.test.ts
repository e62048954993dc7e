import { describe, expect, it } from "@jest/globals";
import { archiveName, fileStep, Steps, stepOf } from "./archive_names.ts";

describe("a name in an archive", () => {
  it("leads nowhere else and can be written everywhere", () => {
    const names: [string, string][] = [
      ["..", "_"],
      [".", "_"],
      ["../../etc/passwd", ".._.._etc_passwd"],
      ["C:\\x", "C__x"],
      ["a\u0000b\u202ec", "a_b_c"],
      ["NUL.txt", "_NUL.txt"],
      ["aux", "_aux"],
      ["trailing. . ", "trailing"],
      [" ", "_"],
      [".env", ".env"],
      ["Verträge 2026", "Verträge 2026"],
      ["\ud800", "\ufffd"],
    ];
    for (const [name, step] of names) expect([name, stepOf(name)]).toEqual([name, step]);
  });

  it("keeps its extension when it is cut, and is never more bytes than file systems take", () => {
    const step = stepOf(`${"界".repeat(200)}.pdf`);
    expect(step.endsWith("界.pdf")).toBe(true);
    expect(Buffer.byteLength(step)).toBeLessThanOrEqual(240);
  });

  it("has the extension of the file once", () => {
    expect(fileStep("Contract", "scan.pdf")).toBe("Contract.pdf");
    expect(fileStep("Contract.PDF", "scan.pdf")).toBe("Contract.PDF");
    expect(fileStep("v1.2", "notes")).toBe("v1.2");
    expect(fileStep("Archive", "Archive.tar.gz")).toBe("Archive.gz");
  });

  it("is different from the others of its folder, whatever the case", () => {
    const steps = new Steps();
    const given = ["a.pdf", "A.pdf", "a (2).pdf", "a.PDF", "straße", "STRASSE"].map((step) => steps.give(step));
    expect(new Set(given.map((step) => step.toUpperCase().toLowerCase())).size).toBe(given.length);
    expect(given[1]).toBe("A (2).pdf");
  });

  it("numbers many equal names without looking at all of them each time", () => {
    const steps = new Steps();
    for (let at = 0; at < 50_000; at++) steps.give("same");
    expect(steps.give("same")).toBe("same (50001)");
  });
});

describe("the name of an archive", () => {
  it("has a date and an extension", () => {
    expect(archiveName("Quay/4", "2026-11-21")).toBe("Quay_4 2026-11-21.zip");
    expect(archiveName("Mine.ZIP", undefined)).toBe("Mine.zip");
  });
});
