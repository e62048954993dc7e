// What a workspace may use: as the user service says, or else what holds for the installation.

import type { HandlerContext } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { forward } from "@docket/runtime/call";
import { reasonOf } from "@docket/runtime/errors";
import type { HolderLimits } from "../store/usage.ts";
import type { HandlerDeps } from "./deps.ts";

/** The limits of one workspace. */
export async function workspaceLimits(
  { memberships, limits }: Pick<HandlerDeps, "memberships" | "limits">,
  workspaceId: string,
  context: HandlerContext,
): Promise<HolderLimits> {
  try {
    const { quotaBytes, maxFileBytes } = await memberships.getWorkspaceFacts({ workspaceId }, forward(context));
    return {
      quotaBytes: quotaBytes > 0n ? Number(quotaBytes) : limits.workspaceQuotaBytes,
      maxFileBytes: maxFileBytes > 0n ? Math.min(Number(maxFileBytes), limits.maxFileBytes) : limits.maxFileBytes,
    };
  } catch (error) {
    // A workspace that was deleted this moment has no limits of its own, and nobody can attach anything to it.
    if (reasonOf(error) !== Reason.NOT_FOUND) throw error;
    return { quotaBytes: limits.workspaceQuotaBytes, maxFileBytes: limits.maxFileBytes };
  }
}
