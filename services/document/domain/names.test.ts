import { describe, expect, it } from "@jest/globals";
import { titleFromFileName } from "./names.ts";

describe("a title made of a file name", () => {
  it.each([
    ["report.pdf", "report.pdf"],
    ["../../etc/passwd", "..-..-etc-passwd"],
    ["C:\\temp\\a.txt", "C:-temp-a.txt"],
    ["in\u202evoice\u0000.exe", "invoice.exe"],
    ["..", "Untitled"],
    ["\u200e \u200f", "Untitled"],
    ["x".repeat(300), "x".repeat(255)],
  ])("of %j is %j", (fileName, title) => {
    expect(titleFromFileName(fileName)).toBe(title);
  });
});
