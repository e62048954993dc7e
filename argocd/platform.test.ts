// Account, region, domain and repository have one file, and everything else gets them from there.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { readPlatform } from "../infra/platform.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const platformFile = "argocd/platform/platform.yaml";
const folders = ["argocd", "mesh", "infra", "observability", ".github"];

/** What may be there and is in no repository: packages, reports. */
const left = /(^|\/)(node_modules|\.docket|report)\//;

function files(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true, encoding: "utf8" })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .filter((path) => !left.test(path) && path !== platformFile && !path.endsWith(".test.ts"));
}

/** The lines of all these files that hold one of the words. */
function linesWith(words: readonly string[], paths: readonly string[]): string[] {
  return paths.flatMap((path) =>
    readFileSync(join(root, path), "utf8")
      .split("\n")
      .flatMap((line, index) =>
        words.some((word) => line.includes(word)) ? [`${path}:${index + 1}: ${line.trim()}`] : [],
      ),
  );
}

describe("account, region, domain and repository", () => {
  const platform = readPlatform();
  const paths = folders.flatMap(files);

  it("are said in one file", () => {
    expect(paths.length).toBeGreaterThan(100);
    const words = [platform.account, platform.region, platform.domain, platform.repository];
    // The address that a test of the Collector's cleaning takes for an example, as the RFC of examples would have it.
    const examples = paths.filter((path) => path !== "observability/check/telemetry.ts");
    expect(linesWith(words, examples)).toEqual([]);
    // And would be found elsewhere.
    expect(linesWith(words, [platformFile])).toHaveLength(4);
  });
});
