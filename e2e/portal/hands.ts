// What hands do on a page that the browser's driver has no word for.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";

/** A file in somebody's hand. */
export interface HeldFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

/** Lets files fall on the middle of the window, as from another program; `over` is run while they hover. */
export async function drop(page: Page, files: readonly HeldFile[], over?: () => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "docket-drop-"));
  const paths = files.map(({ name }) => join(folder, name));
  for (const [at, { buffer }] of files.entries()) await writeFile(paths[at] ?? "", buffer);
  const session = await page.context().newCDPSession(page);
  const { width, height } = page.viewportSize() ?? { width: 0, height: 0 };
  const held = { x: width / 2, y: height / 2, data: { items: [], files: paths, dragOperationsMask: 1 } };
  try {
    await session.send("Input.dispatchDragEvent", { type: "dragEnter", ...held });
    await session.send("Input.dispatchDragEvent", { type: "dragOver", ...held });
    await over?.();
    await session.send("Input.dispatchDragEvent", { type: "drop", ...held });
    // The files are read after the drop.
    page.context().once("close", () => void rm(folder, { recursive: true, force: true }));
  } finally {
    await session.detach();
  }
}

/** Opens a menu by its button and chooses from it. */
export async function chooseFrom(button: Locator, item: string | RegExp): Promise<void> {
  const page = button.page();
  // The menu's code comes when somebody reaches for it.
  await button.hover();
  await button.click();
  await page.getByRole("menuitem", { name: item }).click();
}

/** Chooses files with the picker that a click opens, as in browsers that give pages no handles of files. */
export async function pick(page: Page, files: readonly HeldFile[], open: () => Promise<void>): Promise<void> {
  const asked = page.waitForEvent("filechooser");
  await open();
  await (await asked).setFiles(files.map((file) => ({ ...file })));
}

/** Makes a page forget the picker that gives handles, before it loads. */
export async function withoutHandles(page: Page): Promise<void> {
  await page.addInitScript("delete globalThis.showOpenFilePicker; delete Window.prototype.showOpenFilePicker;");
}
