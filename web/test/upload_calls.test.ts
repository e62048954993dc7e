import { Code } from "@connectrpc/connect";
import { DocumentService } from "@docket/contracts/gen/docket/document/v1/document_service_pb.ts";
import { FolderService } from "@docket/contracts/gen/docket/document/v1/folder_service_pb.ts";
import { VersionService } from "@docket/contracts/gen/docket/document/v1/version_service_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { UploadState } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import { UploadService } from "@docket/contracts/gen/docket/storage/v1/upload_service_pb.ts";
import { UsageService } from "@docket/contracts/gen/docket/storage/v1/usage_service_pb.ts";
import { describe, expect, it } from "vitest";
import { useUploadCalls } from "../app/composables/upload_calls.ts";
import type { Routes } from "./edge.ts";
import { harbour, openPortal, refusal, requestsOf } from "./portal.ts";

const folderId = "01900000-0000-7000-8000-0000000000f0";
const workspaceId = harbour.id;
const { signal } = new AbortController();

async function open(routes: Routes) {
  const portal = await openPortal({ routes });
  const calls = await portal.run(() => useUploadCalls());
  return { portal, calls, [Symbol.asyncDispose]: () => portal[Symbol.asyncDispose]() };
}
const room =
  (usage: () => { storedBytes: bigint; reservedBytes: bigint; quotaBytes: bigint }): Routes =>
  (router) =>
    void router.service(UsageService, { getLimits: () => ({ maxFileBytes: 100n }), getUsage: usage });

describe("what uploads ask of the mesh", () => {
  it("is whether a file fits, before a byte of it is sent", async () => {
    await using world = await open(room(() => ({ storedBytes: 900n, reservedBytes: 50n, quotaBytes: 1000n })));
    await world.calls.checkRoom(workspaceId, 50, signal);
    await expect(world.calls.checkRoom(workspaceId, 51, signal)).rejects.toThrow("QUOTA_EXCEEDED");
    await expect(world.calls.checkRoom(workspaceId, 101, signal)).rejects.toThrow("FILE_TOO_LARGE");
  });

  it("goes on where one may not see how much the whole workspace holds", async () => {
    await using world = await open(
      room(() => {
        throw refusal(Reason.PERMISSION_DENIED, { code: Code.PermissionDenied });
      }),
    );
    await world.calls.checkRoom(workspaceId, 100, signal);
  });

  it("is a document in a folder or in the root, and a version", async () => {
    await using world = await open((router) => {
      router.service(DocumentService, { createDocument: () => ({ document: { id: "made" } }) });
      router.service(VersionService, { createVersion: () => ({ version: { number: 4 } }) });
    });
    const call = { workspaceId, uploadId: "upload", label: "", note: "", requestId: "request" };
    const attached = await world.calls.createDocument({ ...call, folderId });
    expect(attached).toEqual({ documentId: "made", versionNumber: 1 });
    await world.calls.createDocument({ ...call, folderId: undefined });
    const asked = requestsOf(world.portal.calls, DocumentService.method.createDocument);
    expect(asked.map(({ parent }) => parent)).toEqual([
      { case: "folderId", value: folderId },
      { case: "workspaceId", value: workspaceId },
    ]);
    const version = await world.calls.createVersion("made", { ...call, folderId: undefined });
    expect(version).toEqual({ documentId: "made", versionNumber: 4 });
  });

  it("is all folders of a place, on however many pages, and new ones there", async () => {
    await using world = await open((router) =>
      router.service(FolderService, {
        listFolders: ({ pageToken }) =>
          pageToken === ""
            ? { folders: [{ id: "a", name: "A" }], nextPageToken: "more" }
            : { folders: [{ id: "b", name: "B" }], nextPageToken: "" },
        createFolder: ({ name }) => ({ folder: { id: `made ${name}` } }),
      }),
    );
    expect(await world.calls.list({ workspaceId })).toEqual([
      { id: "a", name: "A" },
      { id: "b", name: "B" },
    ]);
    expect(await world.calls.create({ folderId }, "C", "request")).toEqual({ id: "made C" });
    const made = requestsOf(world.portal.calls, FolderService.method.createFolder);
    expect(made).toMatchObject([{ parent: { case: "folderId", value: folderId }, requestId: "request" }]);
  });

  it("is that all bytes are there; one that failed all the same is an error", async () => {
    let state: UploadState = UploadState.STORED;
    await using world = await open((router) =>
      router.service(UploadService, { completeUpload: () => ({ upload: { state } }) }),
    );
    await world.calls.completeUpload("upload", signal);
    state = UploadState.FAILED;
    await expect(world.calls.completeUpload("upload", signal)).rejects.toThrow("failed");
  });
});
