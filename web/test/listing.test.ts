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
import ListingView from "../app/components/listing/ListingView.vue";
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

interface Stock {
  /** How many documents there are, beside a folder. */
  readonly count: number;
  /** Whether renaming and removing are refused. Default: no. */
  readonly refuses?: boolean;
  /** So many folders come in a page by themselves, before the folder. Default: none. */
  readonly folders?: number;
  /** Told of each page of documents, before it is given. */
  readonly listing?: () => void;
}

/** A workspace with a folder and so many documents. */
function open({ count, refuses = false, folders = 0, listing }: Stock) {
  const documents = Array.from({ length: count }, (_, at) => document(at + 1));
  const early = Array.from({ length: folders }, (_, at) =>
    create(FolderSchema, { id: idOf(91_000 + at), name: `Drawer ${String(at).padStart(4, "0")}`, etag: "1" }),
  );
  return openPortal({
    routes: (router) => {
      router.service(FolderService, {
        listFolders: ({ pageToken }) =>
          pageToken === "" && folders > 0
            ? { folders: early, nextPageToken: "more" }
            : { folders: [folder], nextPageToken: "" },
      });
      router.service(DocumentService, {
        listDocuments({ pageSize, pageToken }) {
          listing?.();
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

  it.each([60, 259, 260, 261, 460])(
    "says that it is all as soon as the last page came: %i documents",
    async (count) => {
      await using portal = await open({ count });
      const { state } = await listed(portal);
      await state.listing.value.all();
      expect(state.listing.value.complete.value).toBe(true);
      expect(state.rows.value.length).toBe(count + 1);
      const asked = requestsOf(portal.calls, DocumentService.method.listDocuments);
      expect(asked.length).toBe(1 + Math.ceil(Math.max(0, count - 60) / 200));
    },
  );

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

describe("the view of a list", () => {
  const shown = async (stock: Stock) => {
    const portal = await open(stock);
    const { state } = await listed(portal);
    const view = await portal.mount(ListingView, { props: { state, look: "list", label: "Documents" } });
    const grid = view.find("[role=grid]");
    return {
      state,
      count: () => grid.attributes("aria-rowcount"),
      [Symbol.asyncDispose]: () => portal[Symbol.asyncDispose](),
    };
  };

  it("reads on behind a short page, though nobody scrolls meanwhile", async () => {
    await using view = await shown({ count: 20, folders: 30 });
    await expect.poll(() => view.state.rows.value.length).toBe(51);
    expect(view.state.listing.value.complete.value).toBe(true);
  });

  it("reads no further than somebody may soon get to", async () => {
    await using view = await shown({ count: 1000 });
    await expect.poll(() => view.state.rows.value.length).toBe(261);
    expect(view.count()).toBe("-1");
  });

  it("says how many rows there are once it knows, the head among them", async () => {
    await using view = await shown({ count: 150 });
    await expect.poll(view.count).toBe("152");
  });

  it("stops at a page that fails, and goes on when somebody tries again", async () => {
    let asked = 0;
    await using view = await shown({
      count: 100,
      folders: 30,
      listing: () => {
        asked += 1;
        if (asked === 2) throw refusal(Reason.PERMISSION_DENIED);
      },
    });
    await expect.poll(() => view.state.listing.value.fault.value).toBeDefined();
    expect(view.state.rows.value.length).toBe(31);
    await view.state.listing.value.more();
    await expect.poll(view.count).toBe("132");
  });
});
