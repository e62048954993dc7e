// Many tabs of one browser over HTTP/1.1, where a browser opens six connections at most: all share one stream.

import { eventually } from "@docket/runtime/testing/eventually";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { Page } from "playwright-core";
import { makeDocument, mark, type Newcomer, newcomer } from "./newcomer.ts";
import { settled, visit } from "./page.ts";
import { startWatchedLine, type WatchedLine, watchChanges } from "./watched_line.ts";
import { look, portalUrl } from "./world.ts";

const tabCount = 10;

let line: WatchedLine;
let anna: Newcomer;
/** A colleague in the same workspace. */
let ben: Newcomer;
let list: string;

beforeEach(async () => {
  line = await startWatchedLine(portalUrl());
  [anna, ben] = await Promise.all([newcomer("Anna"), newcomer("Ben")]);
  const { workspaceId, workspaces, roles } = anna;
  const { roles: found } = await roles.listRoles({ workspaceId });
  const roleId = found.find(({ name }) => name.toLowerCase() === "member")?.id ?? "";
  const { secret } = await workspaces.createInvitation({ workspaceId, roleId });
  await ben.workspaces.acceptInvitation({ secret });
  await makeDocument(anna, { title: `First ${mark()}` });
  list = `/w/${workspaceId}`;
});
afterEach(async () => await line[Symbol.asyncDispose]());

/** The open streams of changes. */
const streams = () => line.open(watchChanges).length;

/** Opens tabs of one browser on the list, one after the other. */
async function openTabs(count: number): Promise<{ tabs: Page[]; allow(pattern: RegExp): void }> {
  const { page, allow } = await look({ as: anna, url: line.url });
  const tabs = [page];
  await visit(page, list);
  while (tabs.length < count) {
    const next = await page.context().newPage();
    tabs.push(next);
    await visit(next, list);
  }
  await eventually(() => streams() === 1);
  return { tabs, allow };
}

/** Ben puts something there, and it is seen in each of these tabs. */
async function seenIn(tabs: readonly Page[]): Promise<void> {
  const title = `Report ${mark()}`;
  await makeDocument({ ...ben, workspaceId: anna.workspaceId }, { title });
  await Promise.all(tabs.map((tab) => tab.getByText(title).first().waitFor({ timeout: 20_000 })));
}

describe("ten tabs of one browser", () => {
  it("share one stream, stay usable, and all hear what others do", async () => {
    const { tabs } = await openTabs(tabCount);
    expect(streams()).toBe(1);
    await seenIn(tabs);
    // Each goes elsewhere and is shown what is there, though all others are open.
    for (const tab of tabs) {
      await tab.bringToFront();
      await tab.getByRole("link", { name: "My tasks" }).first().click();
      await tab.waitForURL("**/tasks", { timeout: 10_000 });
      await settled(tab);
      expect(await tab.getByRole("heading", { level: 1 }).textContent()).toBe("My tasks");
    }
    expect(streams()).toBe(1);
  });

  it("go on when the one is closed that came first", async () => {
    const { tabs } = await openTabs(3);
    const [first, ...others] = tabs;
    await first?.close();
    await seenIn(others);
    expect(streams()).toBe(1);
    const last = others.at(-1) as Page;
    await others[0]?.close();
    await seenIn([last]);
    await last.close();
    await eventually(() => streams() === 0);
  });

  it("say that the connection is lost, and that it is back, and then show what was missed", async () => {
    const { tabs, allow } = await openTabs(2);
    // Nuxt asks now and then whether there is a newer build, and logs that it cannot (NUXT_E5002).
    allow(/net::ERR_|Failed to (load|fetch)|NUXT_E5002/);
    line.cut();
    const status = (tab: Page) => tab.locator('[role="status"][aria-live="polite"]').first();
    const says = async (text: RegExp) =>
      await Promise.all(tabs.map((tab) => status(tab).getByText(text).waitFor({ timeout: 30_000 })));
    await says(/connection/i);
    const title = `Missed ${mark()}`;
    await makeDocument({ ...ben, workspaceId: anna.workspaceId }, { title });
    line.mend();
    await status(tabs[0] as Page)
      .getByRole("button")
      .click();
    await says(/again|back/i);
    await Promise.all(tabs.map((tab) => tab.getByText(title).first().waitFor({ timeout: 20_000 })));
    await eventually(() => streams() === 1);
  });
});
