import { Code } from "@connectrpc/connect";
import { DocumentService } from "@docket/contracts/gen/docket/document/v1/document_service_pb.ts";
import { FolderService } from "@docket/contracts/gen/docket/document/v1/folder_service_pb.ts";
import { GrantLevel } from "@docket/contracts/gen/docket/document/v1/grant_pb.ts";
import { GrantService } from "@docket/contracts/gen/docket/document/v1/grant_service_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { DOMWrapper } from "@vue/test-utils";
import { describe, expect, it } from "vitest";
import ListingPage from "../app/components/listing/ListingPage.vue";
import { newId } from "../app/composables/ids.ts";
import { openPortal, type Portal, refusal } from "./portal.ts";

/** The root of a workspace with nothing in it, where the visitor has this level, or as the call fails. */
const openAs = (access: GrantLevel | (() => never)) =>
  openPortal({
    routes: (router) => {
      router.service(GrantService, {
        explainAccess: () => (typeof access === "function" ? access() : { allowed: true, level: access }),
      });
      router.service(FolderService, { listFolders: () => ({}) });
      router.service(DocumentService, { listDocuments: () => ({}) });
    },
  });

/** The page, when it is there and everything was asked; gives the names of its buttons of now. */
async function opened(portal: Portal): Promise<() => string[]> {
  const page = await portal.mount(ListingPage, { props: { workspaceId: newId(), folderId: "" } });
  await expect.poll(() => portal.calls.map(({ name }) => name)).toContain("ExplainAccess");
  await expect.poll(() => page.text()).toContain("No documents yet");
  return () =>
    page.findAll("button").map((button: DOMWrapper<Element>) => button.attributes("aria-label") ?? button.text());
}
const making = (names: string[]) => names.filter((name) => /New folder|Upload/.test(name));

describe("the root of a workspace", () => {
  it("offers new folders and uploads to those who may edit there", async () => {
    await using portal = await openAs(GrantLevel.EDITOR);
    const buttons = await opened(portal);
    await expect.poll(() => making(buttons())).toEqual(expect.arrayContaining(["New folder", "Upload"]));
  });

  it.each([
    ["readers", GrantLevel.VIEWER],
    [
      "guests, who see nothing of the root itself",
      () => {
        throw refusal(Reason.PERMISSION_DENIED, { code: Code.PermissionDenied });
      },
    ],
  ] as const)("offers neither to %s", async (_whom, access) => {
    await using portal = await openAs(access);
    const buttons = await opened(portal);
    await expect.poll(() => making(buttons())).toEqual([]);
    expect(buttons()).not.toEqual([]);
  });

  it("offers both where it could not be asked: the server decides", async () => {
    await using portal = await openAs(() => {
      throw refusal(Reason.UNAVAILABLE, { code: Code.Unavailable });
    });
    const buttons = await opened(portal);
    expect(making(buttons())).toContain("New folder");
  });
});
