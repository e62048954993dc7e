import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { describe, expect, it } from "vitest";
import { nextTick } from "vue";
import ConfirmDialog from "~/components/dialog/ConfirmDialog.vue";
import { openPortal, refusal } from "./portal.ts";

const question = { title: "Delete it?", description: "For good.", action: "Delete", open: true };
const button = (words: string) =>
  [...document.querySelectorAll("button")].find(
    ({ textContent }) => textContent?.trim() === words,
  ) as HTMLButtonElement;
const settle = async () => {
  for (let turn = 0; turn < 5; turn += 1) await nextTick();
};

describe("the question before what cannot be undone", () => {
  it("does it and closes", async () => {
    await using portal = await openPortal();
    let done = 0;
    const dialog = await portal.mount(ConfirmDialog, { props: { ...question, run: async () => (done += 1) } });
    button("Delete").click();
    await settle();
    expect(done).toBe(1);
    expect(dialog.emitted("close")).toEqual([[true]]);
  });

  it("does nothing when it is cancelled", async () => {
    await using portal = await openPortal();
    let done = 0;
    const dialog = await portal.mount(ConfirmDialog, { props: { ...question, run: async () => (done += 1) } });
    button("Cancel").click();
    await settle();
    expect(done).toBe(0);
    expect(dialog.emitted("close")?.[0]).toEqual([false]);
  });

  it("stays and says why, where it is refused", async () => {
    await using portal = await openPortal();
    const run = async () => {
      throw refusal(Reason.LAST_OWNER);
    };
    const dialog = await portal.mount(ConfirmDialog, { props: { ...question, run } });
    button("Delete").click();
    await settle();
    expect(dialog.emitted("close")).toBeUndefined();
    expect(document.querySelector('[role="alert"]')?.textContent).toContain("Nobody would own the workspace");
  });

  it("waits until the name is typed", async () => {
    await using portal = await openPortal();
    let done = 0;
    await portal.mount(ConfirmDialog, { props: { ...question, typed: "Harbour Works", run: async () => (done += 1) } });
    expect(button("Delete").disabled).toBe(true);
    const input = document.querySelector("input") as HTMLInputElement;
    input.value = "Harbour Works";
    input.dispatchEvent(new Event("input"));
    await settle();
    expect(button("Delete").disabled).toBe(false);
    button("Delete").click();
    await settle();
    expect(done).toBe(1);
  });
});
