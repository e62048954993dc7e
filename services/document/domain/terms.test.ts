import { describe, expect, it } from "@jest/globals";
import { queryTerms, sortKey, tagKey, termsOf, tidyTags, wordsOf } from "./terms.ts";

describe("terms", () => {
  it.each([
    ["Quarterly_report-2026.PDF", ["quarterly", "report", "2026", "pdf"]],
    ["Ébauche à l’étude", ["ebauche", "a", "l", "etude"]],
    ["ＦＵＬＬ　ｗｉｄｔｈ", ["full", "width"]],
    ["…!", []],
  ])("%s is made of the words %j", (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  it("stores every beginning of every word once", () => {
    expect(termsOf("ab abc", ["AB"]).sort()).toEqual(["a", "ab", "abc"]);
  });

  it("lets every character begin a word in scripts without blanks", () => {
    expect(termsOf("报告", [])).toEqual(["报", "报告", "告"]);
  });

  it("finds a word by its first twenty characters, stored and asked alike", () => {
    const word = "a".repeat(30);
    expect(termsOf(word, []).at(-1)).toHaveLength(20);
    expect(queryTerms(word)).toEqual(["a".repeat(20)]);
  });

  it("keeps a bounded number of terms", () => {
    const title = Array.from({ length: 100 }, (_, index) => `w${index}abcdefghij`).join(" ");
    expect(termsOf(title, []).length).toBe(500);
  });

  it("asks for at most eight words, the longest first", () => {
    expect(queryTerms("a bbb cc bbb")).toEqual(["bbb", "cc", "a"]);
    expect(queryTerms("a b c d e f g h i j")).toHaveLength(8);
  });

  it("compares tags without case and width, and keeps them as they were first written", () => {
    expect(tagKey(" ＬＥＧＡＬ ")).toBe("legal");
    expect(tidyTags([" Legal", "legal", "", "Old "])).toEqual(["Legal", "Old"]);
  });

  it("sorts names without case", () => {
    expect(sortKey("Äpfel")).toBe("äpfel");
  });
});
