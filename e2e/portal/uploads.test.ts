// Uploads through lines that are slow and that fail, as people see them in the tray.

import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "@docket/runtime/testing/eventually";
import { type TemporaryFolder, temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Locator, Page } from "playwright-core";
import { madeFile } from "../bytes.ts";
import { type CutProxy, startCutProxy } from "./cut_proxy.ts";
import { mark, type Newcomer, newcomer } from "./newcomer.ts";
import { type Look, visit } from "./page.ts";
import { look, portalUrl } from "./world.ts";

const mebibyte = 1024 * 1024;
/** More than one part, and long enough on the way to be cut. */
const size = 80 * mebibyte;
const speed = 16 * mebibyte;

let folder: TemporaryFolder;
let anna: Newcomer;
let line: CutProxy;
let seen: Look;
let page: Page;

beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(async () => await folder[Symbol.asyncDispose]());

beforeEach(async () => {
  anna = await newcomer("Anna");
});

/** Opens somebody's list behind a slow line, in a browser without handles of files. */
async function open(): Promise<void> {
  line = await startCutProxy(portalUrl(), { upPerSecond: speed });
  seen = await look({ as: anna, url: line.url });
  ({ page } = seen);
  await page.addInitScript("delete Window.prototype.showOpenFilePicker; delete globalThis.showOpenFilePicker;");
  await visit(page, `/w/${anna.workspaceId}`);
}

/** A file on this machine's disk, with its digest. */
async function largeFile(): Promise<{ path: string; name: string; sha256: string }> {
  const name = `survey-${mark()}.bin`;
  const made = madeFile(name, size);
  const path = join(folder.path, name);
  await pipeline(Readable.from(made.chunks(0, mebibyte)), createWriteStream(path));
  return { path, name, sha256: made.sha256().toString("hex") };
}

const choose = (path: string) => page.setInputFiles("input[data-uploads=files]", path);
const tray = () => page.getByRole("region", { name: "Uploads" });
const row = (state: string): Locator => tray().locator(`[data-state=${state}]`);
/** How much of all is up, in percent. */
const share = async () =>
  Number(await tray().getByRole("progressbar", { name: "Progress of all uploads" }).getAttribute("aria-valuenow"));
const past = (percent: number) => eventually(async () => (await share()) >= percent, { intervalMs: 50 });

/** Waits until it is a document, and gives the digest of what is stored. */
async function stored(): Promise<string> {
  const link = row("done").getByRole("link");
  await link.waitFor({ timeout: 45_000 });
  const id = (await link.getAttribute("href"))?.split("/").at(-1) ?? "";
  const answer = await anna.http(`/files/documents/${id}`);
  return createHash("sha256")
    .update(Buffer.from(await answer.arrayBuffer()))
    .digest("hex");
}

describe("a large upload", () => {
  it("heals by itself when the line is cut in the middle", async () => {
    await open();
    await using _line = line;
    seen.allow(/net::ERR_/);
    const file = await largeFile();
    await choose(file.path);
    await past(40);
    line.cut("broken");
    await row("stalled")
      .getByText(/connection (was )?lost/i)
      .waitFor({ timeout: 20_000 });
    await pause(2000);
    line.mend();
    expect(await stored()).toBe(file.sha256);
  });

  it("goes on after a reload where it stopped, once the file is chosen again; leaving asks first", async () => {
    await open();
    await using _line = line;
    // What was on its way when the page went arrives after it: the server then says where to go on (409).
    seen.allow(/net::ERR_|\b409\b/);
    const file = await largeFile();
    await choose(file.path);
    await past(60);
    // A browser asks only those who have done something on the page.
    await page.locator("body").click({ position: { x: 5, y: 5 } });
    const asked = page.waitForEvent("dialog");
    const reloaded = page.reload();
    const dialog = await asked;
    expect(dialog.type()).toBe("beforeunload");
    await dialog.accept();
    await reloaded;
    await row("asking").waitFor({ timeout: 20_000 });
    await tray().getByText("1 upload was interrupted. Continue where it stopped.").waitFor();
    const before = line.up;
    await page.setInputFiles("input[data-uploads=again]", file.path);
    expect(await stored()).toBe(file.sha256);
    // Sixty of a hundred were there; what was on its way at that moment is sent again.
    expect(line.up - before).toBeLessThan(size * 0.75);
  });

  it("pauses, goes on, and is given up with nothing left", async () => {
    await open();
    await using _line = line;
    const file = await largeFile();
    await choose(file.path);
    await past(10);
    await tray()
      .getByRole("button", { name: `Pause ${file.name}` })
      .click();
    await row("paused").waitFor();
    // What the line had taken comes through; then nothing does.
    for (let before = -1; before !== line.up; ) {
      before = line.up;
      await pause(1000);
    }
    expect(line.up).toBeLessThan(size * 0.8);
    await tray()
      .getByRole("button", { name: `Resume ${file.name}` })
      .click();
    await past(30);
    await tray()
      .getByRole("button", { name: `Cancel ${file.name}` })
      .click();
    await tray().waitFor({ state: "detached" });
    const { documents } = await anna.documents.listDocuments({
      parent: { case: "workspaceId", value: anna.workspaceId },
    });
    expect(documents).toEqual([]);
  });
});

describe("a folder", () => {
  it("that is chosen makes its folders, also the ones inside", async () => {
    await open();
    await using _line = line;
    const top = `Berth ${mark()}`;
    await mkdir(join(folder.path, top, "Drawings", "Old"), { recursive: true });
    await writeFile(join(folder.path, top, "read me.txt"), "first");
    await writeFile(join(folder.path, top, "Drawings", "Old", "plan.txt"), "second");
    await page.setInputFiles("input[data-uploads=folder]", join(folder.path, top));
    await eventually(async () => (await row("done").count()) === 2);
    await page.getByText(top).first().waitFor();
    expect(await tree()).toEqual([
      top,
      `${top}/Drawings`,
      `${top}/Drawings/Old`,
      `${top}/Drawings/Old/plan.txt`,
      `${top}/read me.txt`,
    ]);
  });

  /** All that is in the workspace, as paths. */
  async function tree(): Promise<string[]> {
    const found: string[] = [];
    type Parent = { case: "workspaceId" | "folderId"; value: string };
    const walk = async (parent: Parent, path: string): Promise<void> => {
      const { documents } = await anna.documents.listDocuments({ parent });
      for (const { title } of documents) found.push(`${path}${title}`);
      const { folders } = await anna.folders.listFolders({ parent });
      for (const { id, name } of folders) {
        found.push(`${path}${name}`);
        await walk({ case: "folderId", value: id }, `${path}${name}/`);
      }
    };
    await walk({ case: "workspaceId", value: anna.workspaceId }, "");
    return found.sort();
  }
});

describe("a file that is refused", () => {
  it("because it is too large is told with the limit, before it is sent, and can be tried again", async () => {
    await open();
    await using _line = line;
    seen.allow(/\b(413|400|409|403)\b/);
    const path = join(folder.path, `huge-${mark()}.bin`);
    await writeFile(path, "");
    await truncate(path, 101 * mebibyte);
    await choose(path);
    const says = row("failed").getByText(/Files may have at most .* here\./);
    await says.waitFor({ timeout: 20_000 });
    expect(line.up).toBeLessThan(10 * mebibyte);
    await row("failed")
      .getByRole("button", { name: /^Retry/ })
      .click();
    await says.waitFor({ timeout: 20_000 });
  });

  it("because the workspace is full says so, and goes up once there is room", async () => {
    await open();
    await using _line = line;
    seen.allow(/\b(413|400|409|429|507|503)\b/);
    const taken = await anna.uploads.createUpload({
      workspaceId: anna.workspaceId,
      name: "reserved.bin",
      mediaType: "application/octet-stream",
      size: BigInt(90 * mebibyte),
    });
    const more = await anna.uploads.createUpload({
      workspaceId: anna.workspaceId,
      name: "reserved too.bin",
      mediaType: "application/octet-stream",
      size: BigInt(58 * mebibyte),
    });
    const path = join(folder.path, `late-${mark()}.bin`);
    await writeFile(path, Buffer.alloc(5 * mebibyte, 7));
    await choose(path);
    await row("failed")
      .getByText(/The workspace is full/)
      .waitFor({ timeout: 20_000 });
    for (const { upload } of [taken, more]) await anna.uploads.abortUpload({ uploadId: upload?.id ?? "" });
    await row("failed")
      .getByRole("button", { name: /^Retry/ })
      .click();
    await row("done").waitFor({ timeout: 20_000 });
  });
});
