// The portal without a mouse: everything is reached with Tab, one sees where one is, and the main things are done by keys.

import { createHash } from "node:crypto";
import { NewVersionRule } from "@docket/contracts/gen/docket/document/v1/task_pb.ts";
import { eventually } from "@docket/runtime/testing/eventually";
import { describe, expect, it } from "@jest/globals";
import type { Locator, Page } from "playwright-core";
import { anna } from "../demo/people.ts";
import { type Person, signUp } from "../person.ts";
import { upload } from "../transfer.ts";
import { settled, visit } from "./page.ts";
import { places } from "./pages.ts";
import { find, look, portalUrl } from "./world.ts";

const stationed = ["sign-in", "documents", "trash", "document-pdf", "tasks", "settings-members", "account"];

describe("every page, with Tab,", () => {
  it.each(stationed)(
    "leads to all that can be used, and shows where one is: %s",
    async (name) => {
      const place = places.find((each) => each.name === name);
      if (place === undefined) throw new Error(`there is no page ${name}`);
      const { page } = await look(place.anonymous ? {} : { as: anna });
      await visit(page, typeof place.path === "string" ? place.path : await place.path(await find(anna)));
      const { stops, left, unseen } = await walk(page);
      expect(stops).toBeGreaterThan(3);
      expect({ left, unseen }).toEqual({ left: [], unseen: [] });
    },
    90_000,
  );
});

describe("the walk with Tab", () => {
  it("sees what it cannot reach, and what hides that it has the focus", async () => {
    const { page } = await look();
    await page.setContent(
      `<a href="/a">A</a><button style="outline: none">quiet</button><button onfocus="this.blur()">shy</button><a href="/b">B</a>`,
    );
    const { stops, left, unseen } = await walk(page);
    expect(stops).toBe(4);
    expect(left).toEqual([expect.stringContaining("shy")]);
    expect(new Set(unseen)).toEqual(new Set([`<button style="outline: none">quiet</button>`]));
  });
});

describe("the portal without a mouse", () => {
  it("lets somebody sign in, find the way, and finish a task", async () => {
    const kay = await signUp(portalUrl(), "Kay");
    const { home } = await furnish(kay);
    const { page } = await look();
    page.setDefaultTimeout(15_000);
    await visit(page, "/sign-in");
    await page.getByLabel(/^Email/).waitFor();
    await eventually(() => page.getByLabel(/^Email/).evaluate(hasFocus));
    await page.keyboard.type(kay.email);
    await tabTo(page, page.getByLabel(/^Password/));
    await page.keyboard.type(kay.password);
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/w\//);
    await settled(page);

    await visit(page, home);
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("Skip to content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).toBe("content");

    const list = page.getByRole("grid");
    await tabTo(page, list);
    const active = () =>
      page.evaluate(
        "document.getElementById(document.activeElement.getAttribute('aria-activedescendant'))?.textContent",
      );
    expect(await active()).toMatch(/Papers/);
    await page.keyboard.press("ArrowDown");
    expect(await active()).toMatch(/Offer/);
    await page.keyboard.press("Space");
    await page.getByText("1 selected").first().waitFor();
    await page.keyboard.press("Escape");
    await page.getByText("1 selected").first().waitFor({ state: "detached" });

    await menuAndDialog(page, list);

    await page.keyboard.press("Enter");
    await page.waitForURL(/\/d\//);
    await settled(page);
    await tabTo(page, page.getByRole("tab", { name: "Versions" }));
    await page.keyboard.press("ArrowRight");
    expect(await focused(page)).toBe("Tasks");
    const complete = page.getByRole("button", { name: "Complete “Read it”" });
    await complete.waitFor();
    await tabTo(page, complete);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Reopen “Read it”" }).waitFor();

    await page.keyboard.press("Control+k");
    await page
      .getByRole("dialog")
      .getByRole("textbox")
      .or(page.getByRole("dialog").getByRole("combobox"))
      .first()
      .waitFor();
    await page.keyboard.type("my tas");
    await page.getByRole("option", { name: "My tasks" }).waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/tasks/);
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await settled(page);

    await tabTo(page, page.getByRole("button", { name: /Your menu/ }));
    await page.keyboard.press("Enter");
    await page.getByRole("menuitem", { name: "Sign out" }).waitFor();
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/sign-in/);
  }, 120_000);
});

/** Goes through a page with Tab; says how many things it should lead to, which it did not, and where one saw no focus. */
async function walk(page: Page): Promise<{ stops: number; left: string[]; unseen: string[] }> {
  await page.evaluate(watchFocus);
  const stops = await page.evaluate<number>("stops.length");
  // A few more than there are: what is focused by itself, and the way around the end.
  for (let presses = 0; presses < stops + 12; presses += 1) {
    await page.keyboard.press("Tab");
    await page.evaluate("arrived()");
  }
  return { stops, left: await page.evaluate("left()"), unseen: await page.evaluate("unseen") };
}

/** A workspace with a folder, a document, and a task on it. */
async function furnish(person: Person): Promise<{ home: string }> {
  const { workspace } = await person.workspaces.createWorkspace({ name: "Desk" });
  const parent = { case: "workspaceId", value: workspace?.id ?? "" } as const;
  await person.folders.createFolder({ parent, name: "Papers" });
  const contents = Buffer.from("An offer.\n");
  const file = {
    size: contents.byteLength,
    *chunks(offset = 0) {
      yield contents.subarray(offset);
    },
    sha256: () => createHash("sha256").update(contents).digest(),
  };
  const uploadId = await upload(person, { workspaceId: parent.value, name: "Offer.txt", file });
  const { document } = await person.documents.createDocument({ parent, uploadId, title: "Offer" });
  await person.tasks.createTask({
    place: { case: "documentId", value: document?.id ?? "" },
    title: "Read it",
    assignee: { assignee: { case: "personId", value: person.id } },
    onNewVersion: NewVersionRule.GO_STALE,
  });
  return { home: `/w/${parent.value}` };
}

/** The menu of a row, and a dialog from it, which keeps the focus in and gives it back. */
async function menuAndDialog(page: Page, list: Locator): Promise<void> {
  await page.keyboard.press("Shift+F10");
  const move = page.getByRole("menuitem", { name: "Move", exact: true });
  await move.waitFor();
  for (let presses = 0; presses < 10 && (await focused(page)) !== "Move"; presses += 1)
    await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("treeitem", { name: "Papers" }).waitFor();
  const inside = "document.activeElement.closest('[role=dialog]') !== null";
  await eventually(() => page.evaluate<boolean>(inside));
  for (let presses = 0; presses < 8; presses += 1) {
    await page.keyboard.press("Tab");
    expect(await page.evaluate(inside)).toBe(true);
  }
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await eventually(() => list.evaluate(hasFocus));
}

// Runs in the page, whose names these sources are checked without.
const hasFocus = (element: unknown): boolean =>
  element === (globalThis as unknown as { document: { activeElement: unknown } }).document.activeElement;

/** What the focused element is called, or says. */
async function focused(page: Page): Promise<string> {
  return await page.evaluate<string>(
    "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText ?? '').replace(/\\s+/g, ' ').trim()",
  );
}

/** Presses Tab until something has the focus. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let presses = 0; presses < 80; presses += 1) {
    if (await target.evaluate(hasFocus)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not lead to ${target}`);
}

// Evaluated as text, since these sources are checked without the names of a browser. Knows what Tab should lead to, and
// compares how an element looks with the focus and without it.
const watchFocus = `(() => {
  const still = new CSSStyleSheet();
  still.replaceSync("*, *::before, *::after { transition: none !important; }");
  document.adoptedStyleSheets.push(still);
  const usable = "a[href], button, input, select, textarea, summary, audio[controls], video[controls], [tabindex]";
  const nameOf = (element) => element.outerHTML.replace(/\\s+/g, " ").slice(0, 160);
  const reached = new Set();
  const look = (elements) => elements.map((element) => {
    const { outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor, backgroundColor, clipPath } = getComputedStyle(element);
    return [outlineStyle === "none" ? "" : [outlineStyle, outlineWidth, outlineColor], boxShadow, borderColor, backgroundColor, clipPath].join();
  }).join();
  let before;
  globalThis.unseen = [];
  // Of a group of radio buttons Tab leads to one.
  globalThis.stops = [...document.querySelectorAll(usable)].filter((element) =>
    element.tabIndex >= 0 && !element.disabled && element.type !== "radio" && element.checkVisibility({ visibilityProperty: true }) &&
    element.closest("[inert], [aria-hidden=true]") === null);
  globalThis.arrived = () => {
    const { activeElement: now } = document;
    if (before && before.element !== now && before.shown === look(before.elements)) unseen.push(nameOf(before.element));
    before = undefined;
    if (now === document.body || now === null) return;
    reached.add(now);
    const row = document.getElementById(now.getAttribute("aria-activedescendant") ?? "");
    const elements = [now, now.parentElement, now.parentElement.parentElement, row].filter((element) => element !== null);
    before = { element: now, elements, shown: look(elements) };
  };
  globalThis.left = () => stops.filter((element) => element.isConnected && !reached.has(element)).map(nameOf);
  document.activeElement?.blur?.();
})()`;
