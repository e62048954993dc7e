// The page of costs, read as a reader does: with a pencil.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { parametersOf } from "../change/stacks.ts";
import { costsPage, pagePath } from "./page.ts";
import { prices } from "./prices.ts";
import { settings } from "./settings.ts";

const page = readFileSync(pagePath, "utf8");
const sections = page.split(/^## /m).filter((text) => text.includes("| **Sum** |"));

describe("docs/operations/costs.md", () => {
  it("is what infra/costs makes (mend: npm run costs)", () => expect(page).toBe(costsPage()));

  it.each(sections.map((text) => [text.split("\n")[0] ?? "", text] as const))("adds up for: %s", (title, text) => {
    const rows = text.split("\n").filter((line) => /^\| (?!what|\*\*)/.test(line));
    expect(rows.length).toBeGreaterThan(20);
    let cents = 0;
    for (const row of rows) {
      const [units, , each, month] = row
        .split("|")
        .slice(3, 7)
        .map((cell) => cell.trim());
      expect([row, Math.abs(Number(units) * Number(each) - Number(month)) < 0.006]).toEqual([row, true]);
      cents += Math.round(Number(month) * 100);
    }
    const sum = text.match(/\*\*Sum\*\*.*\*\*([\d.]+)\*\*/)?.[1];
    expect(Math.round(Number(sum) * 100)).toBe(cents);
    expect(page).toContain(`- **${title}**: $${sum} a month.`);
    // Counts of things that run all month are what the text beside them says.
    for (const row of rows) {
      const found = row.match(/\| (\d+) × 730 h: .* \| ([\d.]+) \| hour/);
      if (found) expect(Number(found[2])).toBe(Number(found[1]) * 730);
    }
  });

  it("says where its prices are from, and uses each of them", () => {
    expect(page).toMatch(/from memory, as of \d{4}-\d\d-\d\d/);
    const used = new Set(settings.flatMap(({ lines }) => lines.map(({ price }) => price)));
    expect(Object.keys(prices).filter((name) => !used.has(name as keyof typeof prices))).toEqual([]);
  });

  it("counts the machines that the parameter files say", () => {
    const [small, large] = settings;
    const kind = (place: string, stack: string, name: string) => parametersOf(place)[stack]?.[name] ?? "";
    const sorts = (setting = small) => setting?.lines.map(({ price }) => prices[price].what).join() ?? "";
    expect(sorts(small)).toContain(`EC2 ${kind("platform-nonprod", "nodes", "ServerType")}`);
    expect(sorts(small)).toContain(kind("environment-dev", "cache", "NodeType"));
    expect(sorts(large)).toContain(`EC2 ${kind("platform-prod", "nodes", "ServerType")}`);
    expect(sorts(large)).toContain(kind("environment-prod", "database", "InstanceClass"));
    expect(sorts(large)).toContain(kind("environment-prod", "cache", "NodeType"));
    const nodes = small?.lines.find(({ price }) => price === "smallNode")?.count;
    expect(nodes).toBe(Number(kind("platform-nonprod", "nodes", "ServerMin")) * 730);
  });
});
