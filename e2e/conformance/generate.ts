// The TypeScript of the suites' contracts (proto/ → gen/). They are no part of Docket's contract, and `npm run gen` knows
// nothing of them; they only use its policy option. `node e2e/conformance/generate.ts` makes gen/ again.

import { spawnSync } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const root = join(import.meta.dirname, "../..");
const gen = join(import.meta.dirname, "gen");

/** Whether gen/ is what the protos make of it. Throws with the words of buf where they do not compile. */
export async function isGenerated(): Promise<boolean> {
  const made = await make();
  try {
    const [fresh, present] = await Promise.all([textsIn(made), textsIn(gen)]);
    return JSON.stringify(fresh) === JSON.stringify(present);
  } finally {
    await rm(made, { recursive: true });
  }
}

async function make(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "docket-conformance-"));
  const here = "e2e/conformance";
  const paths = ["connectrpc", "grpc"].flatMap((name) => ["--path", `${here}/proto/${name}`]);
  const settings = ["--config", `${here}/buf.yaml`, "--template", `${here}/buf.gen.yaml`];
  const { status, stderr } = spawnSync("buf", ["generate", ".", ...settings, ...paths, "-o", folder], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, PATH: [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter) },
  });
  if (status !== 0) throw new Error(`buf refused e2e/conformance/proto: ${stderr}`);
  for (const [path, text] of await textsIn(folder)) {
    // protoc-gen-es takes what is imported from elsewhere for JavaScript.
    await writeFile(join(folder, path), text.replace(/(from "@docket\/.*)\.js"/g, '$1.ts"'));
  }
  return folder;
}

async function textsIn(folder: string): Promise<[string, string][]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return await Promise.all(
    paths
      .sort()
      .map(async (path): Promise<[string, string]> => [path.slice(folder.length), await readFile(path, "utf8")]),
  );
}

if (import.meta.main) {
  const made = await make();
  await rm(gen, { recursive: true, force: true });
  await cp(made, gen, { recursive: true });
  await rm(made, { recursive: true });
}
