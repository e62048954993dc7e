// What a change in the user service means here. References go when the document service says so; uploads that nobody can
// use any more are given up at once.

import type { UserChange } from "@docket/contracts/gen/docket/user/v1/user_change_pb.ts";
import type { MembershipCache } from "@docket/runtime/membership";
import type { BlobStore } from "../store/blobs.ts";
import type { UploadStore } from "../store/uploads.ts";
import type { Writers } from "../transfer/writers.ts";

export interface UserChangeDeps {
  readonly membership: MembershipCache;
  readonly uploads: UploadStore;
  readonly blobs: BlobStore;
  readonly writers: Writers;
}

/** Applies one change; may be applied again. */
export async function applyUserChange(
  { event }: UserChange,
  { membership, uploads, blobs, writers }: UserChangeDeps,
): Promise<void> {
  switch (event.case) {
    case "userDisabled":
    case "userEnabled":
      membership.forget(event.value.userId);
      return;
    case "accessChanged":
    case "memberRemoved":
    case "workspaceUpdated":
      membership.forget(event.value.workspaceId);
      return;
    case "applicationRemoved":
      membership.forget(event.value.applicationId);
      return;
    case "workspaceDeleted": {
      membership.forget(event.value.workspaceId);
      for (const id of await uploads.openIn(event.value.workspaceId)) {
        await blobs.fail(id, "aborted", (row) => row.state !== "attached");
        await writers.abort(id);
      }
      return;
    }
    default:
      return;
  }
}
