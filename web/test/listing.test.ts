import { create } from "@bufbuild/protobuf";
import { DocumentSchema } from "@docket/contracts/gen/docket/document/v1/document_pb.ts";
import { DocumentService } from "@docket/contracts/gen/docket/document/v1/document_service_pb.ts";
import { FolderSchema } from "@docket/contracts/gen/docket/document/v1/folder_pb.ts";
import { FolderService } from "@docket/contracts/gen/docket/document/v1/folder_service_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { describe, expect, it } from "vitest";
import { useToast } from "#imports";
import { newId } from "../app/composables/ids.ts";
import { useListingActions } from "../app/composables/listing/actions.ts";
import { listingQueryOf } from "../app/composables/listing/query.ts";
import { useListingState } from "../app/composables/listing/state.ts";
import { openPortal, refusal, requestsOf } from "./portal.ts";

const idOf = (n: number) => `01900000-0000-7000-8000-${String(n).padStart(12, "0")}`;
const document = (n: number) =>
  create(DocumentSchema, {
    id: idOf(n),
    title: `Report ${String(n).padStart(4, "0")}`,
    etag: "1",
    version: { number: 1 },
  });
const folder = create(FolderSchema, { id: idOf(90_000), name: "Plans", etag: "1" });

/** A workspace with a folder and so many documents; it refuses to rename and to remove where told so. */
function open({ count, refuses = false }: { count: number; refuses?: boolean }) {
  const documents = Array.from({ length: count }, (_, at) => document(at + 1));
  return openPortal({
    routes: (router) => {
      router.service(FolderService, { listFolders: () => ({ folders: [folder], nextPageToken: "" }) });
      router.service(DocumentService, {
        listDocuments({ pageSize, pageToken }) {
          const from = Number(pageToken || 0);
          const page = documents.slice(from, from + pageSize);
          return { documents: page, nextPageToken: from + pageSize < count ? String(from + pageSize) : "" };
        },
        updateDocument({ documentId, title }) {
          if (refuses) throw refusal(Reason.PERMISSION_DENIED);
          return { document: { ...document(Number(documentId.slice(-12))), title, etag: "2" } };
        },
        deleteDocument({ documentId }) {
          if (refuses && documentId === idOf(2)) throw refusal(Reason.PERMISSION_DENIED);
          return {};
        },
      });
    },
  });
}

/** The list of the root, read as far as it is read at first. */
async function listed(portal: Awaited<ReturnType<typeof open>>) {
  const both = await portal.run(() => {
    // Lists live on after their page, so each test has a workspace of its own.
    const workspaceId = newId();
    const state = useListingState(() => listingQueryOf({}, workspaceId));
    return { state, actions: useListingActions(state), toasts: useToast().toasts };
  });
  await both.state.begin();
  await both.state.listing.value.more();
  return both;
}
const titles = ({ rows }: { rows: { value: readonly { title: string }[] } }) => rows.value.map(({ title }) => title);

describe("the list of a place", () => {
  it("has folders before documents, and reads on to its end without a row twice", async () => {
    await using portal = await open({ count: 500 });
    const { state } = await listed(portal);
    expect(titles(state).slice(0, 2)).toEqual(["Plans", "Report 0001"]);
    await state.listing.value.all();
    expect(state.listing.value.complete.value).toBe(true);
    expect(new Set(state.ids.value).size).toBe(501);
  });

  it("asks for little at first and for whole pages later", async () => {
    await using portal = await open({ count: 500 });
    const { state } = await listed(portal);
    await state.listing.value.all();
    const sizes = requestsOf(portal.calls, DocumentService.method.listDocuments).map(({ pageSize }) => pageSize);
    expect(sizes).toEqual([60, 200, 200, 200]);
  });

  it("shows a new title at once, in its place", async () => {
    await using portal = await open({ count: 3 });
    const { state, actions } = await listed(portal);
    const renaming = actions.rename(state.rows.value[1] as never, "Zebra");
    expect(titles(state)).toEqual(["Plans", "Report 0002", "Report 0003", "Zebra"]);
    await renaming;
    expect(state.rows.value.at(-1)?.etag).toBe("2");
  });

  it("takes a title back that was refused", async () => {
    await using portal = await open({ count: 3, refuses: true });
    const { state, actions, toasts } = await listed(portal);
    await actions.rename(state.rows.value[1] as never, "Zebra");
    await expect.poll(() => toasts.value.map(({ title }) => title)).toEqual(["Could not be renamed"]);
    expect(titles(state)).toEqual(["Plans", "Report 0001", "Report 0002", "Report 0003"]);
  });

  it("puts back what could not go to the trash, and tells which and why", async () => {
    await using portal = await open({ count: 3, refuses: true });
    const { state, actions, toasts } = await listed(portal);
    await actions.trash(state.rows.value.slice(1));
    expect(titles(state)).toEqual(["Plans", "Report 0002"]);
    await expect.poll(() => toasts.value.length).toBe(1);
    expect(state.failures.value?.items).toMatchObject([{ row: { title: "Report 0002" } }]);
  });
});
