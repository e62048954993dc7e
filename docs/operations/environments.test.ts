// The page names files, workflows, jobs and commands; each must be there.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";

const root = fileURLToPath(new URL("../..", import.meta.url));
const path = join(root, "docs/operations/environments.md");
const page = readFileSync(path, "utf8");
const { load } = createRequire(import.meta.url)("js-yaml") as { load(yaml: string): unknown };

interface Workflow {
  readonly jobs: Readonly<
    Record<string, { readonly steps?: readonly { readonly run?: string; readonly uses?: string }[] }>
  >;
}

const workflows = new Map(
  readdirSync(join(root, ".github/workflows"))
    .filter((file) => file.endsWith(".yml"))
    .map((file) => {
      const text = readFileSync(join(root, ".github/workflows", file), "utf8");
      return [file, { text, ...(load(text) as Workflow) }];
    }),
);
const unique = (texts: Iterable<string>) => [...new Set(texts)];

describe("docs/operations/environments.md", () => {
  const named = unique(
    [...page.matchAll(/`((?:\.ci|\.github|argocd|docs|e2e|infra|mesh|services)\/[\w./-]+)`/g)].map(
      ([, file]) => file ?? "",
    ),
  );
  it.each(named)("names %s, which is there", (file) => expect(existsSync(join(root, file))).toBe(true));

  const links = unique([...page.matchAll(/\]\(([^)#]+)\)/g)].map(([, link]) => link ?? ""));
  it.each(links)("links to %s, which is there", (link) => expect(existsSync(join(dirname(path), link))).toBe(true));

  const jobs = [...page.matchAll(/`(?:\.github\/workflows\/)?(\w+\.yml)`, jobs? `(\w+)`(?: and `(\w+)`)?/g)].flatMap(
    ([, file = "", first = "", second]) => [
      [file, first] as const,
      ...(second === undefined ? [] : [[file, second] as const]),
    ],
  );
  it.each(jobs)("names in %s the job %s, which is there", (file, job) => {
    expect(Object.keys(workflows.get(file)?.jobs ?? {})).toContain(job);
  });
  it("names a job of every workflow", () => {
    expect(unique(jobs.map(([file]) => file)).sort()).toEqual([...workflows.keys()].sort());
  });

  it("names commands of npm that are there", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    const commands = unique([...page.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name ?? ""));
    expect(commands.length).toBeGreaterThan(4);
    expect(commands.filter((name) => !(name in scripts))).toEqual([]);
  });

  it("names commands of the pipelines' program that are there", () => {
    const program = readFileSync(join(root, "infra/delivery/commands.ts"), "utf8");
    for (const [, command] of page.matchAll(/run\.ts`, command `(\w+)`/g))
      expect(program).toContain(`command === "${command}"`);
  });
});

describe("the workflows", () => {
  it("call scripts that are there, and each script of the pipelines is called", () => {
    const called = (text: string) => unique([...text.matchAll(/infra\/[\w/]+\.(?:sh|ts)/g)].map(([file]) => file));
    const all = unique([...workflows.values()].flatMap(({ text }) => called(text)));
    for (const file of all) expect([file, existsSync(join(root, file))]).toEqual([file, true]);
    const scripts = readdirSync(join(root, "infra/delivery")).filter((file) => file.endsWith(".sh"));
    const reached = unique([...all, ...all.flatMap((file) => called(readFileSync(join(root, file), "utf8")))]);
    for (const script of scripts) expect(reached).toContain(`infra/delivery/${script}`);
  });

  it("pin each action to a commit, with its version beside it", () => {
    const uses = [...workflows.values()].flatMap(({ text }) =>
      [...text.matchAll(/uses: (.+)$/gm)].map(([, what]) => what ?? ""),
    );
    expect(uses.length).toBeGreaterThan(10);
    for (const what of uses) expect(what).toMatch(/^\.\/\.github\/|^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it("may read the repository and no more, except in jobs that say what for", () => {
    for (const [file, { text }] of workflows) {
      expect([file, text]).toEqual([file, expect.stringMatching(/^permissions:\n {2}contents: read$/m)]);
      expect(text).not.toMatch(/write-all|AWS_SECRET_ACCESS_KEY|AWS_ACCESS_KEY_ID/);
      expect([file, text]).toEqual([file, expect.stringMatching(/^concurrency:$/m)]);
    }
  });
});
