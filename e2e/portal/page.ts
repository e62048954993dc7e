// A page of the portal as a person sees it, and what is wrong with it: what the browser logs as an error, what the
// content security policy refuses, what cannot be loaded, and what stands in the way of people who do not use a mouse.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import { eventually } from "@docket/runtime/testing/eventually";
import type { Browser, BrowserContextOptions, Page, Response } from "playwright-core";

/** Light and dark, as the browser asks for them. */
export const themes = ["light", "dark"] as const;
export type Theme = (typeof themes)[number];

/** A telephone, a tablet or small laptop, and a desk; with the height of each. */
export const widths = { 390: 844, 1024: 768, 1600: 1000 } as const;
export type Width = keyof typeof widths;

/** How a page is opened. */
export interface LookOptions {
  /** Where the portal is. */
  readonly url: string;
  /** What the system asks for. Default: light. */
  readonly theme?: Theme;
  /** What the person chose in the portal, whatever the system asks for. Default: nothing. */
  readonly chosenTheme?: Theme;
  /** Default: 1024. */
  readonly width?: Width;
  /** Cookies and stored values of another look, so that nobody signs in twice. */
  readonly state?: BrowserContextOptions["storageState"];
}

/** A page with what went wrong on it. Closing it closes its context. */
export interface Look extends AsyncDisposable {
  readonly page: Page;
  /** What went wrong since the last time that somebody asked, each in one line. */
  takeProblems(): string[];
  /** What is meant to go wrong in this test, for example `/401/` for a wrong password. */
  allow(pattern: RegExp): void;
}

/** Opens an empty page in a context of its own. */
export async function openLook(browser: Browser, options: LookOptions): Promise<Look> {
  const { url, theme = "light", chosenTheme, width = 1024, state } = options;
  const context = await browser.newContext({
    baseURL: url,
    colorScheme: theme,
    viewport: { width, height: widths[width] },
    reducedMotion: "reduce",
    locale: "en-GB",
    timezoneId: "UTC",
    ...(state === undefined ? {} : { storageState: state }),
  });
  if (chosenTheme !== undefined) await context.addInitScript(`localStorage["nuxt-color-mode"] = "${chosenTheme}"`);
  const page = await context.newPage();
  let problems: string[] = [];
  const allowed: RegExp[] = [];
  page.on("console", (message) => {
    const hydration = /hydration/i.test(message.text());
    if (message.type() !== "error" && !hydration) return;
    const { url: at, lineNumber } = message.location();
    problems.push(`console: ${message.text()}${at === "" ? "" : ` (${at}:${lineNumber})`}`);
  });
  page.on("pageerror", (error) => problems.push(`uncaught: ${error.message}`));
  page.on("requestfailed", (request) => {
    const reason = request.failure()?.errorText ?? "";
    // What a page gives up itself when one goes on to the next is no fault.
    if (reason !== "net::ERR_ABORTED") problems.push(`request: ${request.method()} ${request.url()} ${reason}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400)
      problems.push(`answer: ${response.status()} ${response.request().method()} ${response.url()}`);
  });
  return {
    page,
    takeProblems() {
      const taken = problems.filter((line) => !allowed.some((pattern) => pattern.test(line)));
      problems = [];
      return taken;
    },
    allow: (pattern) => void allowed.push(pattern),
    [Symbol.asyncDispose]: () => context.close(),
  };
}

/** Goes to a path and waits until the page is alive and has what it asked for. */
export async function visit(page: Page, path: string): Promise<Response | null> {
  const response = await page.goto(path, { waitUntil: "load", timeout: 60_000 });
  await settled(page);
  return response;
}

// Evaluated as text, since these sources are checked without the names of a browser.
const alive = `(() => {
  const app = globalThis.useNuxtApp?.();
  const hydrated = document.getElementById("__nuxt") === null || app?.isHydrating === false;
  const onTheWay = app?._loadingIndicator?.isLoading?.value === true;
  const busy = document.querySelector('[aria-busy="true"]') !== null;
  const loading = [...document.images].some((image) => image.loading !== "lazy" && !image.complete);
  return hydrated && !onTheWay && !busy && !loading && document.fonts.status === "loaded";
})()`;

/** A development server compiles what it is asked for first. */
const settleMs = 30_000;

/** Waits until the page reacts and nothing on it says that it is busy. Throws after half a minute. */
export async function settled(page: Page): Promise<void> {
  await eventually(() => page.evaluate<boolean>(alive), { timeoutMs: settleMs, intervalMs: 50 });
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
}

interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** Fills in the form that is there and sends it off. */
export async function submitSignIn(page: Page, { email, password }: Credentials): Promise<void> {
  await page.getByLabel(/^Email/).fill(email);
  // The button that shows it is labelled too.
  await page.getByLabel(/^Password/).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Signs in by the form, and waits until the page behind it is there. */
export async function signIn(page: Page, person: Credentials): Promise<void> {
  await visit(page, "/sign-in");
  await submitSignIn(page, person);
  // Gone only when the page behind it is there.
  await page.getByRole("button", { name: "Sign in" }).waitFor({ state: "detached", timeout: 60_000 });
  await settled(page);
}

/** Signs in without the form, where the form is not what is looked at. Returns the session's secret for the API. */
export async function signInByCall(page: Page, { email, password }: Credentials): Promise<string> {
  const data = { email, password, clientName: "Chromium" };
  const answer = await page.request.post("/docket.user.v1.SessionService/SignIn", { data });
  if (!answer.ok()) throw new Error(`${email} cannot sign in: ${answer.status()} ${await answer.text()}`);
  return ((await answer.json()) as { sessionSecret: string }).sessionSecret;
}

/** One rule that a page breaks. */
export interface Finding {
  readonly impact: string;
  /** Rule, what it asks for, and each element with what is wrong there. */
  readonly text: string;
}

/** What axe has to say about the page as it is now, the worst first. */
export async function findings(page: Page): Promise<Finding[]> {
  const order = ["critical", "serious", "moderate", "minor"];
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .map(({ id, impact, help, nodes }) => ({
      impact: impact ?? "minor",
      text: [
        `${impact}: ${id}: ${help}`,
        ...nodes.map(
          (node) =>
            `    ${node.html.slice(0, 200)}\n      ${(node.failureSummary ?? "").split("\n").slice(1).join("; ").trim()}`,
        ),
      ].join("\n"),
    }))
    .sort((one, other) => order.indexOf(one.impact) - order.indexOf(other.impact));
}

/** Throws, with everything that is to be mended, when something serious or critical stands in people's way. */
export async function axe(page: Page): Promise<void> {
  const grave = (await findings(page)).filter(({ impact }) => impact === "critical" || impact === "serious");
  if (grave.length === 0) return;
  throw new Error(`${new URL(page.url()).pathname} is not accessible:\n${grave.map(({ text }) => text).join("\n")}`);
}

/** Where screenshots are kept: the folder DOCKET_ARTEFACTS, or `screenshots/` beside this file. */
export function artefacts(): string {
  const { DOCKET_ARTEFACTS: named } = process.env;
  return named || fileURLToPath(new URL("screenshots", import.meta.url));
}

/** Keeps what is seen of the page now as `<name>.png`, and returns where. */
export async function screenshot(page: Page, name: string): Promise<string> {
  const folder = artefacts();
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path, animations: "disabled", caret: "hide" });
  return path;
}
