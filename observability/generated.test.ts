import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import { generatedFiles } from "./generated.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const gen = join(root, "observability", "gen");
const files = generatedFiles(root);

test.each([...files.keys()].map((path) => relative(root, path)))("%s is as the contract makes it", (path) => {
  expect(readFileSync(join(root, path), "utf8")).toBe(files.get(join(root, path)));
});

test("nothing else is in the folder", () => {
  const present = readdirSync(gen, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  expect(present.filter((path) => !files.has(path))).toEqual([]);
});

test("the ConfigMaps hold every file that is generated, and only files that are there", () => {
  const { configMapGenerator } = parse(readFileSync(join(root, "observability", "kustomization.yaml"), "utf8")) as {
    configMapGenerator: { files: string[] }[];
  };
  const held = configMapGenerator.flatMap((map) => map.files).map((file) => file.split("=").at(-1) ?? "");
  for (const file of held) expect(() => readFileSync(join(root, "observability", file))).not.toThrow();
  const made = [...files.keys()]
    .filter((path) => path.startsWith(gen))
    .map((path) => relative(join(root, "observability"), path));
  expect(made.filter((path) => !held.includes(path))).toEqual([]);
});

test("every dashboard is one that Grafana can load: its panels have ids, places and queries of their own", () => {
  const dashboards = [...files].filter(([path]) => path.endsWith(".json"));
  expect(dashboards.length).toBeGreaterThan(6);
  const uids = new Set<string>();
  for (const [path, text] of dashboards) {
    const { uid, panels } = JSON.parse(text) as {
      uid: string;
      panels: {
        id: number;
        type: string;
        gridPos: { x: number; y: number; w: number; h: number };
        targets?: unknown[];
      }[];
    };
    uids.add(uid);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const panel of panels) {
      expect(panel.gridPos.x + panel.gridPos.w).toBeLessThanOrEqual(24);
      if (panel.type !== "row") expect(panel.targets?.length).toBeGreaterThan(0);
    }
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect({ path: relative(root, path), overlapping: cells.length - new Set(cells).size }).toEqual({
      path: relative(root, path),
      overlapping: 0,
    });
  }
  expect(uids.size).toBe(dashboards.length);
});
