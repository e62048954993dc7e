// The images that are built from this repository, and what each is made of: an image is built again only when something of
// that has changed. A test compares the list with the Dockerfile.
//
//   node infra/delivery/images.ts      prints [{"image": "user", "tag": "main-…"}, …] for the commit that is checked out

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";

/** Where a repository is. */
export const here = fileURLToPath(new URL("../..", import.meta.url));

/** What every image is made of, beside the package.json of each workspace. */
const common = ["Dockerfile", ".dockerignore", "package.json", "package-lock.json", "contracts", "runtime"];

/** Paths that an image is made of, by its name. */
export const sources = {
  user: [...common, "services/user"],
  document: [...common, "services/document"],
  storage: [...common, "services/storage"],
  integration: [...common, "services/integration"],
  gateway: [...common, "services/gateway"],
  // Its pages are built with everything that is there.
  web: [...common, "services", "web", "e2e"],
  admin: [...common, "services", "e2e"],
  journey: [...common, "services", "e2e"],
} satisfies Record<string, readonly string[]>;

/** The name of an image. */
export type Image = keyof typeof sources;

/** All of them. */
export const images = Object.keys(sources) as readonly Image[];

/** Of an image's sources, what never gets into it: so that another test builds nothing. */
const neverIn = /\.test\.ts$|\/(test|testing|screenshots)\//;

/**
 * The tag that an image has which was built from these sources: the same sources, the same tag, whatever the commit. So who
 * finds it in the registry need not build it.
 */
export function tagOf(image: Image, root = here, commit = "HEAD"): string {
  const listed = execFileSync("git", ["ls-tree", "-r", commit], { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 });
  const parts = listed.split("\n").filter((line) => {
    const path = line.split("\t")[1] ?? "";
    if (neverIn.test(path)) return false;
    return (
      path.endsWith("/package.json") ||
      sources[image].some((source) => path === source || path.startsWith(`${source}/`))
    );
  });
  return `main-${createHash("sha256").update(parts.sort().join("\n")).digest("hex").slice(0, 20)}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(`${JSON.stringify(images.map((image) => ({ image, tag: tagOf(image) })))}\n`);
}
