// What a test of the portal has: the portal with the demonstration in it, a browser, and people. Pages that a test opens
// are closed after it by setup.ts, which fails the test when one of them logged a problem.
//
//   const { page } = await look({ as: anna, theme: "dark", width: 390 });
//   await visit(page, await find().then(({ document }) => document("Quay 4 at dawn")));
//
// The demonstration is shared by all tests: look at it, and make people and workspaces of your own to change things.

import { basename, extname } from "node:path";
import { expect } from "@jest/globals";
import type { Browser } from "playwright-core";
import type { DemoPerson } from "../demo/people.ts";
import { clientsOf, edgeTransport } from "../person.ts";
import { launchBrowser } from "./browser.ts";
import { artefacts, type Look, type LookOptions, openLook, screenshot, signInByCall } from "./page.ts";
import { type Finder, finderOf } from "./pages.ts";

/** Where the portal and the edge are. */
export function portalUrl(): string {
  const { DOCKET_PORTAL_URL: url } = process.env;
  if (!url) throw new Error("Tests of the portal run in the Jest project `portal`, which starts it.");
  return url;
}

export interface StageOptions extends Omit<LookOptions, "url" | "state"> {
  /** Who is signed in, without the form. Default: nobody. */
  readonly as?: Pick<DemoPerson, "email" | "password">;
  /** Default: the portal. */
  readonly url?: string;
}

interface SignedIn {
  readonly secret: string;
  readonly state: NonNullable<LookOptions["state"]>;
}

let browser: Promise<Browser> | undefined;
let looks: Look[] = [];
const signedIn = new Map<string, Promise<SignedIn>>();

/** Opens an empty page in a context of its own; `visit` it somewhere. */
export async function look({ as: person, ...options }: StageOptions = {}): Promise<Look> {
  browser ??= launchBrowser();
  const url = options.url ?? portalUrl();
  const opened = await openLook(await browser, {
    ...options,
    url,
    ...(person && { state: (await sessionOf(person)).state }),
  });
  looks.push(opened);
  return opened;
}

/** Finds things of the demonstration by name, as somebody who may see them. */
export async function find(person: Pick<DemoPerson, "email" | "password">): Promise<Finder> {
  const { secret } = await sessionOf(person);
  return finderOf(clientsOf(edgeTransport(portalUrl(), secret)));
}

/** One session for all tests of a file: signing in is slow on purpose. */
function sessionOf(person: Pick<DemoPerson, "email" | "password">): Promise<SignedIn> {
  const known = signedIn.get(person.email) ?? begin(person);
  signedIn.set(person.email, known);
  return known;
}

async function begin(person: Pick<DemoPerson, "email" | "password">): Promise<SignedIn> {
  browser ??= launchBrowser();
  await using opened = await openLook(await browser, { url: portalUrl() });
  const secret = await signInByCall(opened.page, person);
  return { secret, state: await opened.page.context().storageState() };
}

/** Closes what the test opened. Throws with what was logged as wrong on its pages. */
export async function endLooks(): Promise<void> {
  const ended = looks;
  looks = [];
  const problems: string[] = [];
  for (const [index, each] of ended.entries()) {
    problems.push(...each.takeProblems().map((line) => `${each.page.url()}: ${line}`));
    // The last that was seen, for whoever has to find out why a test failed.
    await screenshot(each.page, `${testName()}${index === 0 ? "" : `-${index + 1}`}`).catch(() => undefined);
    await each[Symbol.asyncDispose]();
  }
  if (problems.length > 0) throw new Error(`Pages logged problems; see ${artefacts()}\n${problems.join("\n")}`);
}

/** Closes the browser. */
export async function endBrowser(): Promise<void> {
  await (await browser)?.close();
  browser = undefined;
}

function testName(): string {
  const { currentTestName = "", testPath = "" } = expect.getState();
  const file = basename(testPath, extname(testPath)).replace(/\.test$/, "");
  return `${file}-${currentTestName}`.replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 120);
}
