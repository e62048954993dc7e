import { create } from "@bufbuild/protobuf";
import { ChangeKind, ChangeSchema } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { describe, expect, it, vi } from "vitest";
import LiveStatus from "~/components/live/LiveStatus.vue";
import { concerns } from "~/live/tab.ts";
import { openPortal } from "./portal.ts";

describe("live changes", () => {
  it("reach those parts of the page that they concern, as long as these live", async () => {
    const all: string[] = [];
    const one: string[] = [];
    {
      await using portal = await openPortal();
      await portal.run(() => {
        const { onChange } = useLive();
        onChange(({ id }) => all.push(id));
        onChange(
          ({ id }) => one.push(id),
          () => ({ documentId: "document 1" }),
        );
      });
      portal.tell({ id: "a", documentId: "document 1" });
      portal.tell({ id: "b", documentId: "document 2" });
      expect([all, one]).toEqual([["a", "b"], ["a"]]);
    }
    await using portal = await openPortal();
    portal.tell({ id: "c", documentId: "document 1" });
    expect([all, one]).toEqual([["a", "b"], ["a"]]);
  });

  it("that may have been missed have parts of the page ask anew", async () => {
    await using portal = await openPortal();
    const reload = vi.fn();
    await portal.run(() => useLive().onReload(reload));
    portal.tell("reload");
    expect(reload).toHaveBeenCalledOnce();
  });

  it("of access to all of a workspace concern each of its documents", () => {
    const change = create(ChangeSchema, { workspaceId: "w", kind: ChangeKind.ACCESS_LOST });
    expect(concerns(change, { workspaceId: "w", documentId: "d" })).toBe(true);
    expect(concerns(change, { workspaceId: "other", documentId: "d" })).toBe(false);
    expect(concerns({ ...change, documentId: "another" }, { documentId: "d" })).toBe(false);
    expect(concerns({ ...change, kind: ChangeKind.FOLDER_CREATED }, { documentId: "d" })).toBe(false);
  });
});

describe("the words about the connection", () => {
  it("are none while all is well, and a way to try again when it is lost", async () => {
    await using portal = await openPortal();
    const { $live } = useNuxtApp();
    const status = await portal.mount(LiveStatus);
    expect(status.text()).toBe("");
    $live.state.value = "lost";
    await nextTick();
    expect(status.text()).toContain("Connection lost");
    expect(status.find("button").text()).toBe("Try again");
    $live.state.value = "live";
    await nextTick();
    expect(status.text()).toBe("Connected again");
    expect(status.attributes("aria-live")).toBe("polite");
  });

  it("offer to sign in when the session has ended", async () => {
    await using portal = await openPortal();
    const { $live } = useNuxtApp();
    const status = await portal.mount(LiveStatus, { route: "/tasks" });
    $live.state.value = "ended";
    await nextTick();
    expect(status.find("a").attributes("href")).toMatch(/^\/sign-in\?next=/);
    $live.state.value = "connecting";
  });
});
