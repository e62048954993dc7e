// What the parts of a filling share.

import { everyPage, type Hand, requestId } from "./client.ts";
import type { DemoComment } from "./shape.ts";

/** Everything that the parts of a filling need. */
export interface Filling {
  readonly workspaceId: string;
  readonly anna: Hand;
  readonly ben: Hand;
  /** Ids of people and of the group. */
  readonly ids: { readonly anna: string; readonly ben: string; readonly inspectors: string };
  readonly made: (what: string) => void;
}

/** What is known of a document that is there. */
export interface KnownDocument {
  readonly id: string;
  readonly versions: number;
  readonly trashed: boolean;
}

/** Says what was not said yet. */
export async function fillComments(
  filling: Filling,
  subject: { readonly case: "documentId" | "taskId"; readonly value: string },
  comments: readonly DemoComment[] = [],
): Promise<void> {
  if (comments.length === 0) return;
  const said = await everyPage(
    (page) => filling.anna.comments.listComments({ subject, ...page }),
    (page) => page.comments,
  );
  for (const { by, body } of comments) {
    if (said.some((each) => each.body === body)) continue;
    await filling[by].comments.createComment({ subject, body, requestId: requestId("comment", subject.value, body) });
    filling.made("a comment");
  }
}
