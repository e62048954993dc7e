// What hands do on a page that the browser's driver has no word for.

import type { Locator, Page } from "playwright-core";

/** A file in somebody's hand. */
export interface HeldFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

/** Lets files fall on the middle of the window, as from another program; `over` is run while they hover. */
export async function drop(page: Page, files: readonly HeldFile[], over?: () => Promise<void>): Promise<void> {
  const held = files.map(({ name, mimeType, buffer }) => ({ name, mimeType, data: buffer.toString("base64") }));
  await page.evaluate(`(() => {
    const transfer = new DataTransfer();
    for (const { name, mimeType, data } of ${JSON.stringify(held)}) {
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      transfer.items.add(new File([bytes], name, { type: mimeType }));
    }
    globalThis.dropping = (type) => {
      const target = document.elementFromPoint(innerWidth / 2, innerHeight / 2) ?? document.body;
      target.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    };
    dropping("dragenter");
    dropping("dragover");
  })()`);
  await over?.();
  await page.evaluate(`dropping("drop")`);
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
