// The main job as two people do it by hand, from the first start on, each station with a screenshot among the artefacts.
// It has a Docket of its own, since it begins where nobody has been; DOCKET_FRESH_URL names one that runs already.

import { createHash } from "node:crypto";
import { eventually } from "@docket/runtime/testing/eventually";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Locator, Page } from "playwright-core";
import { pdf } from "../bytes.ts";
import { startWhole } from "../kill.ts";
import { chooseFrom, drop, type HeldFile, pick, withoutHandles } from "./hands.ts";
import { screenshot, settled, signIn, visit } from "./page.ts";
import { look } from "./world.ts";

const anna = { name: "Anna Berg", email: "anna.berg@example.com", password: "quiet harbour lights 7" };
const ben = { name: "Ben Holt", email: "ben.holt@example.com", password: "crane above the quay 9" };
const workspaceName = "Quay Office";

const first: HeldFile = { name: "Contract.pdf", mimeType: "application/pdf", buffer: pdf("Contract, first draft") };
const second: HeldFile = { name: "Contract 2.pdf", mimeType: "application/pdf", buffer: pdf("Contract, second draft") };
const notes: HeldFile = {
  name: "Minutes.md",
  mimeType: "text/markdown",
  buffer: Buffer.from("# Minutes\n\nThe crane is **ready**.\n"),
};

let url = "";
const parts = new AsyncDisposableStack();

beforeAll(async () => {
  const { DOCKET_FRESH_URL: running } = process.env;
  if (running) {
    url = running;
    return;
  }
  const folder = parts.use(await temporaryFolder());
  const whole = await startWhole(folder.path, {}, undefined, []);
  parts.defer(() => whole.end("SIGTERM"));
  url = whole.url;
}, 300_000);
afterAll(() => parts.disposeAsync());

let station = 0;
/** Keeps what is seen at a station. */
async function seen(page: Page, name: string): Promise<void> {
  station += 1;
  await screenshot(page, `journey-${String(station).padStart(2, "0")}-${name}`);
}

async function open(options: { expected?: RegExp } = {}): Promise<Page> {
  const { page, allow } = await look({ url });
  page.setDefaultTimeout(15_000);
  await withoutHandles(page);
  if (options.expected) allow(options.expected);
  return page;
}

const row = (page: Page, title: string | RegExp): Locator =>
  page.getByRole("row").filter({ has: page.getByRole("link", { name: title }) });
const navigate = (page: Page, name: string): Promise<void> =>
  page.getByRole("navigation", { name: "Main" }).getByRole("link", { name }).click();
const tab = (page: Page, name: string): Promise<void> => page.getByRole("tab", { name }).click();
/** Marks the page as it was loaded, to show later that nobody loaded it again. */
const mark = (page: Page) => page.evaluate("globalThis.loadedOnce = true");
const stillTheSame = (page: Page) => page.evaluate("globalThis.loadedOnce === true");

describe("the journey through the portal", () => {
  it("leads two people from the first start to a document that is agreed on", async () => {
    const page = await open();
    const home = await makesWorkspace(page);
    await fills(page);
    const document = await reads(page);
    await addsVersion(page);
    const friend = await invites(page, home);
    await sharesWork(page, friend, document);
    await restoresAndDownloads(page, document);
    await ordersThings(page, home);
    await losesNothing(page, home);
    await endsSessions(page);
  }, 240_000);
});

async function makesWorkspace(page: Page): Promise<string> {
  await visit(page, "/");
  await page.getByRole("heading", { name: "Create your workspace" }).waitFor();
  await seen(page, "first-run");
  await page.getByLabel("Your name").fill(anna.name);
  await page.getByLabel(/^Email/).fill(anna.email);
  await page.getByLabel(/^Password/).fill(anna.password);
  await page.getByLabel("Workspace name").fill(workspaceName);
  await page.getByRole("button", { name: "Create workspace" }).click();
  await page.waitForURL(/\/w\//);
  await settled(page);
  await page.getByText("No documents yet").waitFor();
  await seen(page, "empty-workspace");
  return new URL(page.url()).pathname;
}

async function fills(page: Page): Promise<void> {
  await page.getByRole("button", { name: "New folder" }).first().click();
  await page.getByLabel("Name of the folder").fill("Contracts");
  await page.keyboard.press("Enter");
  await row(page, "Contracts").waitFor();
  await pick(page, [first], () => chooseFrom(page.getByRole("button", { name: "Upload" }).first(), "Files"));
  await row(page, /Contract\b/).waitFor();
  await drop(page, [notes], async () => {
    await page.getByText(`Drop to upload to ${workspaceName}`).waitFor();
    await seen(page, "file-above-the-window");
  });
  await row(page, /Minutes/).waitFor();
  await page.getByText("2 uploads complete").first().waitFor();
  await seen(page, "uploaded");
}

async function reads(page: Page): Promise<string> {
  await row(page, /Contract\b/)
    .getByRole("link")
    .click();
  await page.waitForURL(/\/d\//);
  await drawn(page);
  await seen(page, "document");
  return new URL(page.url()).pathname;
}

/** Waits until the first page of the PDF is painted: ink on white. */
async function drawn(page: Page): Promise<void> {
  await settled(page);
  const painted = `(() => {
    const canvas = document.querySelector("[aria-label=Preview] canvas");
    if (!canvas?.width) return false;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let ink = 0;
    for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 0 && data[at] < 100) ink += 1;
    return ink > 50;
  })()`;
  await eventually(() => page.evaluate<boolean>(painted), { intervalMs: 100 });
}

async function addsVersion(page: Page): Promise<void> {
  await drop(page, [second], () => page.getByText(/Drop to add a new version of/).waitFor());
  await page.getByText("Version 2 is here").first().waitFor();
  await page.getByRole("button", { name: "Describe it" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Note").fill("The second draft, with the new dates.");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  const versions = page.getByRole("list", { name: "Versions" });
  await versions.getByText("The second draft, with the new dates.").waitFor();
  expect(await versions.getByRole("listitem").count()).toBe(2);
  await drawn(page);
  await seen(page, "second-version");
}

async function invites(page: Page, home: string): Promise<Page> {
  await visit(page, `${home}/settings/invitations`);
  await page.getByRole("button", { name: "Invite" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^Email/).fill(ben.email);
  await dialog.getByRole("button", { name: "Create" }).click();
  const field = dialog.locator("input[readonly]");
  await field.waitFor();
  const link = new URL(await field.inputValue());
  await seen(page, "invitation");
  await dialog.getByRole("button", { name: "Done" }).click();
  await dialog.waitFor({ state: "detached" });

  const friend = await open();
  await visit(friend, link.pathname);
  await friend.getByRole("heading", { name: `Join ${workspaceName}` }).waitFor();
  await seen(friend, "invited");
  await friend.getByLabel("Your name").fill(ben.name);
  await friend.getByLabel(/^Password/).fill(ben.password);
  await friend.getByRole("button", { name: "Sign up and join" }).click();
  await friend.waitForURL(/\/w\//);
  await row(friend, /Contract\b/).waitFor();
  await seen(friend, "joined");
  return friend;
}

async function sharesWork(page: Page, friend: Page, document: string): Promise<void> {
  await visit(page, document);
  await mark(page);
  await tab(page, "Tasks");
  await page.getByRole("button", { name: "New task" }).click();
  const form = page.getByRole("dialog");
  await form.getByLabel("Title").fill("Check the figures");
  await form.getByLabel("Assigned to").click();
  await page.getByRole("option", { name: ben.name }).click();
  await seen(page, "new-task");
  await form.getByRole("button", { name: "Create task" }).click();
  await form.waitFor({ state: "detached" });
  const open = page.getByRole("list", { name: "Open tasks" });
  await open.getByText("Check the figures").waitFor();

  await navigate(friend, "My tasks");
  await friend.waitForURL(/\/tasks/);
  const mine = friend.getByRole("listitem").filter({ hasText: "Check the figures" });
  await mine.waitFor();
  await seen(friend, "my-tasks");
  await mine.getByRole("button", { name: "Complete “Check the figures”" }).click();
  await friend.getByText("Completed: Check the figures").first().waitFor();
  // What the other has done comes by itself.
  await page.getByRole("button", { name: "Reopen “Check the figures”" }).waitFor();
  await seen(page, "completed-by-the-other");

  await tab(page, "Comments");
  await visit(friend, `${document}?panel=comments`);
  await says(friend, "The total on page 1 is right.");
  await page.getByText("The total on page 1 is right.").waitFor();
  await says(page, "Thank you, then we sign it.");
  await friend.getByText("Thank you, then we sign it.").waitFor();
  await seen(friend, "comments");
  expect(await stillTheSame(page)).toBe(true);
  await friend.context().close();
}

async function says(page: Page, words: string): Promise<void> {
  await page.getByLabel("Write a comment").fill(words);
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByRole("list", { name: "Comments" }).getByText(words).waitFor();
}

async function restoresAndDownloads(page: Page, document: string): Promise<void> {
  await visit(page, document);
  await chooseFrom(page.getByRole("button", { name: "Actions for version 1" }), "Restore this version");
  await page.getByRole("dialog").getByRole("button", { name: "Restore" }).click();
  const versions = page.getByRole("list", { name: "Versions" });
  await versions.getByText("Restored from 1").waitFor();
  expect(await versions.getByRole("listitem").count()).toBe(3);
  await drawn(page);
  await seen(page, "restored");
  await chooseFrom(page.getByRole("button", { name: "Actions for version 2" }), /^Edit/);
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  // The newest has the bytes of the first, and the second is still what it was.
  await tellsTheSame(page, page.getByRole("link", { name: "Download" }).first(), first);
  await versions
    .getByRole("button", { name: /Version 2/ })
    .first()
    .click();
  await page.getByText("You see version 2 of 3.").waitFor();
  await tellsTheSame(page, page.getByRole("link", { name: "Download" }).first(), second);
}

async function tellsTheSame(page: Page, link: Locator, { buffer }: HeldFile): Promise<void> {
  const begun = page.waitForEvent("download");
  await link.click();
  const hash = createHash("sha256");
  for await (const chunk of await (await begun).createReadStream()) hash.update(chunk);
  expect(hash.digest("hex")).toBe(createHash("sha256").update(buffer).digest("hex"));
}

async function ordersThings(page: Page, home: string): Promise<void> {
  await visit(page, home);
  await chooseFrom(row(page, /Contract\b/).getByRole("button", { name: /^Actions for/ }), /^Rename/);
  await page.getByLabel(/^New name of/).fill("Framework agreement");
  await page.keyboard.press("Enter");
  await row(page, "Framework agreement").waitFor();
  await chooseFrom(row(page, "Framework agreement").getByRole("button", { name: /^Actions for/ }), "Tags");
  await page.getByRole("combobox", { name: "Add a tag" }).fill("signed");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Remove the tag signed" }).waitFor();
  await page.keyboard.press("Escape");
  await row(page, "Framework agreement").getByText("signed").waitFor();
  // A dialog that closes gives the focus back; what is typed before that goes astray.
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await settled(page);

  await page.getByRole("searchbox").pressSequentially("sig");
  await page.getByText("Found by “sig”").waitFor();
  await row(page, "Framework agreement").waitFor();
  await row(page, /Minutes/).waitFor({ state: "detached" });
  await seen(page, "found");
  await page.getByRole("button", { name: "Leave the search" }).click();

  await page.getByRole("checkbox", { name: "Select Framework agreement" }).click();
  await page.getByRole("checkbox", { name: /^Select Minutes/ }).click();
  await page.getByText("2 selected").first().waitFor();
  await page.getByRole("button", { name: "Move", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("treeitem", { name: "Contracts" }).click();
  await seen(page, "moving");
  await dialog.getByRole("button", { name: "Move here" }).click();
  await row(page, "Framework agreement").waitFor({ state: "detached" });
  await row(page, "Contracts").getByRole("link").click();
  await page.waitForURL(/\/f\//);
  await row(page, /Minutes/).waitFor();
  await row(page, "Framework agreement").waitFor();
  await seen(page, "in-the-folder");
}

async function losesNothing(page: Page, home: string): Promise<void> {
  const trash = async () => {
    await chooseFrom(row(page, /Minutes/).getByRole("button", { name: /^Actions for/ }), "Move to trash");
    await row(page, /Minutes/).waitFor({ state: "detached" });
  };
  await trash();
  await page
    .getByText(/moved to the trash/)
    .first()
    .waitFor();
  await seen(page, "trashed");
  await page.getByRole("button", { name: "Undo" }).last().click();
  await row(page, /Minutes/).waitFor();
  await trash();
  const folder = new URL(page.url()).pathname;
  await visit(page, `${home}/trash`);
  const lost = page.getByRole("row").filter({ hasText: "Minutes" });
  await chooseFrom(lost.getByRole("button", { name: /^Actions for/ }), "Restore");
  await lost.waitFor({ state: "detached" });
  await visit(page, folder);
  await row(page, /Minutes/).waitFor();
}

async function endsSessions(page: Page): Promise<void> {
  const elsewhere = await open({ expected: /\b401\b/ });
  await signIn(elsewhere, anna);
  await row(elsewhere, "Contracts").waitFor();
  await visit(page, "/account/sessions");
  const other = page.getByRole("main").getByRole("listitem").filter({ hasNotText: "This one" });
  expect(await other.count()).toBe(1);
  await seen(page, "sessions");
  await other.getByRole("button", { name: /^Sign out/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
  await other.waitFor({ state: "detached" });
  await elsewhere.getByText("You are not signed in any more.").first().waitFor();
  await seen(elsewhere, "ended-from-elsewhere");
  await elsewhere.reload();
  await elsewhere.waitForURL(/\/sign-in/);

  await chooseFrom(page.getByRole("button", { name: /Your menu/ }), "Sign out");
  await page.waitForURL(/\/sign-in/);
  await visit(page, "/tasks");
  expect(new URL(page.url()).pathname).toBe("/sign-in");
  await seen(page, "signed-out");
}
