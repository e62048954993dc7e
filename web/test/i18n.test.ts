import { describe, expect, it } from "vitest";
import { openPortal } from "./portal.ts";

describe("texts", () => {
  it("are found by their key, with names filled in", async () => {
    await using portal = await openPortal();
    const { t } = await portal.run(() => useI18n());
    expect(t("action.retry")).toBe("Try again");
    expect(t("request", { id: "r-1" })).toBe("Request r-1");
  });

  it("keep a name that nobody filled in", async () => {
    await using portal = await openPortal();
    const { t } = await portal.run(() => useI18n());
    expect(t("request")).toBe("Request {id}");
  });

  it("say whether a key from data is one, and only whole texts are", async () => {
    await using portal = await openPortal();
    const { te } = await portal.run(() => useI18n());
    expect([te("faults.NOT_FOUND"), te("faults.NEVER"), te("faults"), te("")]).toEqual([true, false, false, false]);
  });
});
