// Over plain HTTP on a name that is not this machine's own, a page is no secure context: browsers take crypto.subtle,
// randomUUID and more from it. Docket still works, and says what is wrong with it.

import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type Browser, chromium } from "playwright-core";
import { chromiumArguments } from "./browser.ts";
import { findChromium } from "./chromium.ts";
import { makeDocument, mark, type Newcomer, newcomer } from "./newcomer.ts";
import { type Look, openLook, signIn, visit } from "./page.ts";
import { portalUrl } from "./world.ts";

const name = "docket.example";

let browser: Browser;
let anna: Newcomer;
let look: Look;
beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: findChromium(),
    args: [...chromiumArguments, `--host-resolver-rules=MAP ${name} 127.0.0.1`],
  });
  anna = await newcomer("Anna");
  const url = new URL(portalUrl());
  url.hostname = name;
  look = await openLook(browser, { url: url.origin });
  // The browser says that it passes the header over; it counts on https, where it is sent too.
  look.allow(/Cross-Origin-Opener-Policy header has been ignored/);
  await visit(look.page, "/sign-in");
});
afterAll(() => browser?.close());

describe("a page over plain HTTP on another address", () => {
  it("is no secure context", async () => {
    expect(await look.page.evaluate("[isSecureContext, typeof crypto.subtle, typeof crypto.randomUUID]")).toEqual([
      false,
      "undefined",
      "undefined",
    ]);
  });

  it("warns that passwords travel unencrypted, and signs in", async () => {
    const { page } = look;
    await page.getByText("Your password travels unencrypted").waitFor();
    await signIn(page, anna);
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ name: "docket", domain: name, httpOnly: true, secure: false, sameSite: "Lax" });
    expect(new URL(page.url()).pathname).toBe(`/w/${anna.workspaceId}`);
    expect(look.takeProblems()).toEqual([]);
  });

  it("hears what others do, and makes things with ids of its own", async () => {
    const { page } = look;
    await page.getByRole("button", { name: "New folder" }).first().click();
    const folder = `Drawer ${mark()}`;
    await page.keyboard.type(folder);
    await page.keyboard.press("Enter");
    await page.getByText(folder).first().waitFor();
    const title = `Letter ${mark()}`;
    await makeDocument(anna, { title });
    await page.getByText(title).first().waitFor({ timeout: 20_000 });
    expect(look.takeProblems()).toEqual([]);
  });

  it("uploads, with checksums that it makes by itself", async () => {
    const { page } = look;
    const checksums: string[] = [];
    page.on("request", (request) => {
      const value = request.headers()["upload-checksum"];
      if (value !== undefined) checksums.push(value);
    });
    // More than goes up with the request that makes the upload.
    const buffer = randomBytes(5 * 1024 * 1024);
    const title = `drawing-${mark()}.bin`;
    await page.setInputFiles("input[data-uploads=files]", {
      name: title,
      mimeType: "application/octet-stream",
      buffer,
    });
    const link = page.locator("[data-state=done] a").first();
    await link.waitFor({ timeout: 30_000 });
    const id = (await link.getAttribute("href"))?.split("/").at(-1) ?? "";
    const stored = Buffer.from(await (await anna.http(`/files/documents/${id}`)).arrayBuffer());
    expect(digest(stored)).toBe(digest(buffer));
    expect(checksums.length).toBeGreaterThan(0);
    for (const value of checksums) expect(value).toMatch(/^sha256 [A-Za-z0-9+/]{43}=$/);
    expect(look.takeProblems()).toEqual([]);
  });
});

function digest(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
