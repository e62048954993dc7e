// Documents that would run something: their previews run nothing, ask for nothing elsewhere, and do not even try.

import { beforeAll, describe, expect, it } from "@jest/globals";
import { type Person, signUp } from "../person.ts";
import { hostileFiles, tryHostileFile, uploadHostileFiles } from "./hostile_previews.ts";
import { look, portalUrl } from "./world.ts";

let eve: Person;
let ids: Map<string, string>;

beforeAll(async () => {
  eve = await signUp(portalUrl(), "Eve");
  const { workspace } = await eve.workspaces.createWorkspace({ name: "Traps" });
  ids = await uploadHostileFiles(eve, workspace?.id ?? "");
});

describe("the preview of a hostile document", () => {
  // What the content security policy refuses is logged as an error, and fails the test as any other error does.
  it.each(hostileFiles.map((file) => [file.name, file] as const))("runs nothing of %s", async (name, file) => {
    const { page } = await look({ as: eve });
    page.setDefaultTimeout(15_000);
    expect(await tryHostileFile(page, file, ids.get(name) ?? "")).toEqual([]);
  });

  it.each(["script.svg", "page.html", "page.xhtml"])("runs nothing of %s opened by itself", async (name) => {
    const { page, allow } = await look({ as: eve });
    // Here the browser is asked to show the file as it is: the answer's own policy has to stop it.
    allow(/Content Security Policy|sandboxed|ERR_BLOCKED_BY_CSP/);
    const asked: string[] = [];
    page.context().on("request", (request) => void asked.push(request.url()));
    page.on("dialog", (dialog) => {
      asked.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    const path = `/files/documents/${ids.get(name)}`;
    // A file that is handed over for keeping ends the visit before there is a page.
    await page.goto(`${path}?inline=1`).catch((error) => expect(String(error)).toMatch(/download|ERR_ABORTED/i));
    expect(asked.filter((each) => !each.startsWith(portalUrl()))).toEqual([]);
    expect(await page.evaluate("globalThis.docketHostile")).toBeUndefined();
  });
});
