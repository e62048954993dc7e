// The way in.

import { describe, expect, it } from "@jest/globals";
import { anna } from "../demo/people.ts";
import { axe, signIn, submitSignIn, themes, visit } from "./page.ts";
import { look } from "./world.ts";

describe("the sign-in page", () => {
  it.each(themes)("lets Anna in, in %s", async (theme) => {
    const { page } = await look({ theme });
    await visit(page, "/sign-in");
    await axe(page);
    await signIn(page, anna);
    expect(new URL(page.url()).pathname).not.toBe("/sign-in");
  });

  it("says in words that address and password do not belong together", async () => {
    const { page, allow } = await look({ width: 390 });
    allow(/\b401\b/);
    await visit(page, "/sign-in");
    await submitSignIn(page, { email: anna.email, password: "not the password" });
    await expect(page.getByRole("alert").textContent()).resolves.toMatch(/do not belong together/);
    expect(await page.getByLabel(/^Password/).getAttribute("aria-invalid")).toBe("true");
    await axe(page);
  });
});
