// Builds the portal into a folder, as a process of its own: it takes two gigabytes for half a minute, and gives them back
// when it ends. Called by e2e/portal_build.ts with the folder for the result and one for what is in between.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

/** What is used of @nuxt/kit, whose own types need the whole of Nuxt. */
interface Kit {
  loadNuxt(options: object): Promise<Nuxt>;
  buildNuxt(nuxt: Nuxt): Promise<void>;
  writeTypes(nuxt: Nuxt): Promise<void>;
}

interface Nuxt {
  hook(name: string, called: (error?: unknown) => void): void;
  close(): Promise<void>;
}

/** What the parent is told of the way. */
export interface BuildStage {
  readonly stage: string;
}

const [output, between] = process.argv.slice(2);
if (output === undefined || between === undefined) {
  process.stderr.write("Usage: build.ts <folder for the build> <folder for what is in between>\n");
  process.exit(2);
}

// The kit must be the one that Nuxt itself uses.
const fromNuxt = createRequire(createRequire(import.meta.url).resolve("nuxt/package.json"));
const kit = (await import(pathToFileURL(fromNuxt.resolve("@nuxt/kit")).href)) as Kit;

say("loading Nuxt and its modules");
// Nothing beside the sources decides what comes out.
const from = { cwd: fileURLToPath(new URL("..", import.meta.url)), dotenv: false };
if (!existsSync(new URL("../.nuxt/tsconfig.app.json", import.meta.url))) {
  // The tsconfig.json beside the sources refers to files that Nuxt generates, and the bundler reads it.
  const types = await kit.loadNuxt({ ...from, overrides: { dev: false } });
  await kit.writeTypes(types);
  await types.close();
}
const nuxt = await kit.loadNuxt({
  ...from,
  overrides: { dev: false, buildDir: between, nitro: { output: { dir: output } } },
});
nuxt.hook("build:before", () => say("bundling the pages"));
nuxt.hook("nitro:build:before", () => say("bundling and compressing what the server needs"));
nuxt.hook("build:error", (error) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
await kit.buildNuxt(nuxt);
await nuxt.close();
// Some of its workers would go on waiting for work.
process.exit(0);

function say(stage: string): void {
  const message: BuildStage = { stage };
  process.send?.(message);
}
