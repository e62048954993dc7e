import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import { alerts, ruleGroups } from "./slo/rules.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, "docs", "operations", "runbooks");
const names = [...new Set(alerts().map(({ name }) => name))].sort();
const pages = readdirSync(folder).filter((name) => name !== "README.md");

test("each alert has its page, and each page its alert", () => {
  expect(pages.map((name) => name.replace(/\.md$/, "")).sort()).toEqual(names);
});

test.each(pages)("%s says what it means, how to look, what to do, and how to know that it is over", (name) => {
  const text = readFileSync(join(folder, name), "utf8");
  const alert = name.replace(/\.md$/, "");
  expect(text.startsWith(`# ${alert}\n`)).toBe(true);
  expect(text.match(/^## .*$/gm)).toEqual([
    "## What it means",
    "## How to look",
    "## What to do",
    "## How to know that it is over",
  ]);
  const severities = new Set(
    alerts()
      .filter((one) => one.name === alert)
      .map(({ severity }) => severity),
  );
  expect([...severities]).toEqual([/^`(page|ticket|none)`/m.exec(text)?.[1]]);
});

test("the list of pages names each once, with its severity", () => {
  const rows = [
    ...readFileSync(join(folder, "README.md"), "utf8").matchAll(/^\| \[(\w+)\]\((\w+)\.md\) \| (\w+) \|/gm),
  ];
  expect(rows.map(([, name]) => name).sort()).toEqual(names);
  for (const [, name, file, severity] of rows) {
    expect(file).toBe(name);
    expect(alerts().find((one) => one.name === name)?.severity).toBe(severity);
  }
});

test("every alert that is fired is tested, and what is tested exists", () => {
  const tested = new Set<string>();
  const fired = new Set<string>();
  for (const file of readdirSync(join(root, "observability", "tests"))) {
    const { tests } = parse(readFileSync(join(root, "observability", "tests", file), "utf8")) as {
      tests: { alert_rule_test?: { alertname: string; exp_alerts?: unknown[] }[] }[];
    };
    for (const { alertname, exp_alerts } of tests.flatMap((one) => one.alert_rule_test ?? [])) {
      tested.add(alertname);
      if ((exp_alerts ?? []).length > 0) fired.add(alertname);
    }
  }
  expect([...fired].sort()).toEqual(names);
  expect([...tested].filter((name) => !names.includes(name))).toEqual([]);
});

test("alerts leave nobody without a page or a summary, and repeat no group's name", () => {
  const groups = ruleGroups();
  expect(new Set(groups.map(({ name }) => name)).size).toBe(groups.length);
  for (const rule of groups.flatMap(({ rules }) => rules)) {
    if (!("alert" in rule)) continue;
    expect(rule.annotations.summary).not.toBe("");
    expect(rule.annotations.runbook_url).toMatch(new RegExp(`/docs/operations/runbooks/${rule.alert}\\.md$`));
  }
});
