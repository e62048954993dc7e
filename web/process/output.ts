// Finds what the build made: the listener that renders pages and serves files.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { StartError } from "@docket/runtime/errors";

/** Answers one request. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

/**
 * Loads the build in a folder. Several builds may lie side by side there, of which `build.json` names the present one.
 * Throws StartError when there is none, or when it cannot be loaded.
 */
export async function loadHandler(folder: string): Promise<Handler> {
  const named = await currentBuild(folder);
  const path = join(folder, ...(named === undefined ? [] : [named]), "server", "index.mjs");
  if (!existsSync(path)) {
    throw new StartError(`There is no build of the portal in ${folder}: \`npm run build\` makes it.`);
  }
  let module: { readonly listener?: unknown };
  try {
    module = await import(pathToFileURL(path).href);
  } catch (cause) {
    const [why] = String((cause as Error).message).split("\n", 1);
    throw new StartError(`The portal's build ${path} cannot be loaded (${why}): \`npm run build\` makes a new one.`, {
      cause,
    });
  }
  if (typeof module.listener !== "function") {
    throw new StartError(`The portal's build ${path} has no listener: \`npm run build\` makes a new one.`);
  }
  return module.listener as Handler;
}

async function currentBuild(folder: string): Promise<string | undefined> {
  try {
    const { folder: name } = JSON.parse(await readFile(join(folder, "build.json"), "utf8"));
    return typeof name === "string" && /^[0-9a-f]+$/.test(name) ? name : undefined;
  } catch {
    // A build without the note lies in the folder itself.
    return undefined;
  }
}
