import { describe, expect, it } from "vitest";
import { nextTick } from "vue";
import SearchSelect from "~/components/form/SearchSelect.vue";
import { openPortal } from "./portal.ts";

const items = [
  { value: "zurich", label: "Zürich" },
  { value: "stockholm", label: "Stockholm" },
  { value: "quay", label: "Quay 4", disabled: true },
];
const settle = async () => {
  for (let turn = 0; turn < 6; turn += 1) await nextTick();
};
const options = () => [...document.querySelectorAll('[role="option"]')].map(({ textContent }) => textContent?.trim());
const input = () => document.querySelector('input[role="combobox"]') as HTMLInputElement;
const press = (key: string) => input().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
async function type(text: string): Promise<void> {
  input().value = text;
  input().dispatchEvent(new Event("input"));
  await settle();
}

describe("choosing one of many", () => {
  it("finds by a part of the name, without its marks", async () => {
    await using portal = await openPortal();
    await portal.mount(SearchSelect, { props: { items, label: "Place", open: true } });
    await settle();
    expect(options()).toEqual(["Zürich", "Stockholm", "Quay 4"]);
    await type("zur");
    expect(options()).toEqual(["Zürich"]);
    await type("nowhere");
    expect(document.querySelector('[role="status"]')?.textContent).toContain("nowhere");
  });

  it("is done by keys alone, and does not take what cannot be chosen", async () => {
    await using portal = await openPortal();
    const select = await portal.mount(SearchSelect, { props: { items, label: "Place", open: true } });
    await settle();
    press("ArrowDown");
    await settle();
    const active = input().getAttribute("aria-activedescendant");
    expect(document.getElementById(active ?? "")?.textContent).toContain("Stockholm");
    press("Enter");
    expect(select.emitted("update:modelValue")).toEqual([["stockholm"]]);
    press("ArrowDown");
    press("Enter");
    expect(select.emitted("update:modelValue")).toEqual([["stockholm"]]);
  });
});
