// What happened to one document, for somebody who looks back: decided as for a watcher, with the access of now.
import { type Change, ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import type { Call, Subject } from "@docket/runtime/call";
import type { Change as LogRow } from "@docket/runtime/changelog/read";
import { accessKinds } from "../domain/change_filter.ts";
import { tell } from "./delivery.ts";
import { entryOf } from "./entry.ts";
import type { Viewers } from "./viewers.ts";

/** Said to one watcher at one moment; who looks back sees the grants themselves. */
const momentary: ReadonlySet<ChangeKind> = new Set([ChangeKind.ACCESS_GAINED, ChangeKind.ACCESS_LOST]);

/** What is told of rows of one workspace, in their order. */
export async function tellActivity(
  rows: readonly LogRow[],
  viewers: Viewers,
  { subject, workspaceId, call }: { subject: Subject; workspaceId: string; call: Call },
): Promise<Change[]> {
  for (const row of rows) {
    // Who has read the row that takes access away must not go by what was before.
    if (accessKinds.has(entryOf(row).change.kind)) viewers.accessChanged(workspaceId, row.sequence);
  }
  const viewer = await viewers.viewer(subject, workspaceId, call);
  const changes: Change[] = [];
  for (const row of rows) {
    const told = await tell(entryOf(row), viewer);
    changes.push(...told.map(({ change }) => change).filter(({ kind }) => !momentary.has(kind)));
  }
  return changes;
}
