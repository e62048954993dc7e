// How much script the list of documents needs, all that is fetched until the page is at rest.

import { gzipSync } from "node:zlib";
import { eventually } from "@docket/runtime/testing/eventually";
import { afterAll, beforeAll, describe, it } from "@jest/globals";
import { anna } from "../demo/people.ts";
import { firstAnswer } from "./newcomer.ts";
import { visit } from "./page.ts";
import { startWatchedLine, type WatchedLine, watchChanges } from "./watched_line.ts";
import { find, look, portalUrl } from "./world.ts";

describe("the first load of the list of documents", () => {
  let line: WatchedLine;
  beforeAll(async () => {
    line = await startWatchedLine(portalUrl());
  });
  afterAll(async () => await line[Symbol.asyncDispose]());

  it("needs less than 200 kB of script, all that it fetches until it is at rest", async () => {
    const { page } = await look({ as: anna, url: line.url });
    await visit(page, `/w/${await (await find(anna)).workspace()}`);
    // The worker that all tabs share is the last to come.
    await eventually(() => line.open(watchChanges).length === 1);
    await line.quiet(2000);
    const paths = new Set(line.passed.filter(({ type }) => /javascript/.test(type)).map(({ path }) => path));
    const sizes = await Promise.all(
      [...paths].map(async (path) => ({ path, bytes: gzipSync(await bytesOf(path), { level: 9 }).byteLength })),
    );
    const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
    const list = sizes.sort((left, right) => right.bytes - left.bytes).map(({ path, bytes }) => `${bytes} ${path}`);
    if (total >= 200_000) throw new Error(`${total} bytes of script, gzipped:\n${list.join("\n")}`);
  });
});

async function bytesOf(path: string): Promise<Buffer> {
  return Buffer.from(await (await firstAnswer(path)).arrayBuffer());
}
