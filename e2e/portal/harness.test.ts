// Whether what looks at the portal would see what is wrong with it: pages that are wrong on purpose, each in one way.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { findChromium } from "./chromium.ts";
import { axe, visit, widths } from "./page.ts";
import { endLooks, look } from "./world.ts";

const pages: Record<string, string> = {
  "/": "<p>Nothing is wrong here.</p>",
  "/console": `<script nonce="n">console.error("it went wrong")</script>`,
  "/uncaught": `<script nonce="n">throw new Error("nobody catches me")</script>`,
  "/policy": `<script>document.title = "not allowed"</script>`,
  "/missing": `<img src="/no-such-picture.png" alt="">`,
  "/refused": `<script nonce="n">fetch("http://127.0.0.1:1/").catch(() => {})</script>`,
  "/unlabelled": "<form><input type='text'></form>",
  "/pale": "<p style='color: #bbb; background: #fff'>Can you read this?</p>",
};

const server = createServer((request, response) => {
  const body = pages[request.url ?? ""];
  response.writeHead(body === undefined ? 404 : 200, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy":
      "default-src 'none'; script-src 'nonce-n'; style-src 'unsafe-inline'; img-src 'self' data:; connect-src *",
  });
  const head = "<title>A page</title><link rel='icon' href='data:,'>";
  response.end(
    `<!doctype html><html lang="en"><head>${head}</head><body><main><h1>A page</h1>${body}</main></body></html>`,
  );
});
let url = "";

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

describe("the eye on the portal", () => {
  it("lets a page pass that is as it should be", async () => {
    const { page } = await look({ url });
    await visit(page, "/");
    await axe(page);
    await endLooks();
  });

  it.each([
    ["/console", /console: it went wrong/],
    ["/uncaught", /uncaught: nobody catches me/],
    ["/policy", /Content Security Policy/],
    ["/missing", /answer: 404 GET .*no-such-picture/],
    ["/refused", /request: GET http:\/\/127\.0\.0\.1:1\//],
  ])("fails a test that opened %s", async (path, problem) => {
    const { page } = await look({ url });
    await visit(page, path);
    await expect(endLooks()).rejects.toThrow(problem);
  });

  it("passes over what a test says that it means", async () => {
    const { page, allow } = await look({ url });
    allow(/404/);
    await visit(page, "/missing");
    await endLooks();
  });

  it.each([
    ["/unlabelled", /critical: label: .*\n.*<input type="text">/],
    ["/pale", /serious: color-contrast: .*\n.*Can you read this/],
  ])("says what is in people's way on %s", async (path, finding) => {
    const { page } = await look({ url });
    await visit(page, path);
    await expect(axe(page)).rejects.toThrow(finding);
  });

  it.each([
    ["light", 390],
    ["dark", 1600],
  ] as const)("shows pages in %s at %d pixels", async (theme, width) => {
    const { page } = await look({ url, theme, width });
    await visit(page, "/");
    expect(page.viewportSize()).toEqual({ width, height: widths[width] });
    expect(await page.evaluate(`matchMedia("(prefers-color-scheme: ${theme})").matches`)).toBe(true);
  });

  it("says in a sentence where no browser is", () => {
    expect(() => findChromium({ CHROMIUM: "/no/such/browser" })).toThrow(
      "CHROMIUM names /no/such/browser, and there is no such file.",
    );
  });
});
