// Thins out old versions where an operator keeps fewer of them. Each step is one transaction that decides anew and removes,
// tells and asks for the release of the contents, so that it may be cut anywhere and comes to the same end.
import { ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import type { Clock } from "@docket/runtime/clock";
import { afterCommit } from "@docket/runtime/db/database";
import { enqueue } from "@docket/runtime/queue/queue";
import type { JobHandler } from "@docket/runtime/queue/worker";
import { firstAge, type Thinning, thinnedOut } from "../domain/thinning.ts";
import type { Events } from "../events.ts";
import { recordChanges } from "../store/changes.ts";
import type { DocumentDatabase, Tables } from "../store/entities.ts";
import {
  agedVersions,
  type DocumentPlace,
  documentsWithVersions,
  removeSomeVersions,
  withOldVersions,
} from "../store/thinning.ts";
import { releaseJob } from "./purge.ts";

/** How many documents are looked at by one statement, and how many versions go in one transaction. */
const documentsAtOnce = 400;
const versionsAtOnce = 200;

export function thinVersions(
  { db, events, clock }: { readonly db: DocumentDatabase; readonly events: Events; readonly clock: Clock },
  thinning: Thinning,
): JobHandler<Tables> {
  return async (_job, _db, signal) => {
    const age = firstAge(thinning);
    if (age === undefined) return;
    const before = clock().getTime() - age;
    let after: DocumentPlace | undefined;
    for (;;) {
      const page = await documentsWithVersions(db.query, after, documentsAtOnce);
      after = page.at(-1);
      for (const [workspaceId, documents] of Map.groupBy(page, (document) => document.workspace_id)) {
        const ids = documents.map(({ id }) => id);
        const old = await withOldVersions(db.query, workspaceId, ids, before);
        for (const document of documents) {
          signal.throwIfAborted();
          if (old.has(document.id)) while (await thinSome(document));
        }
      }
      if (page.length < documentsAtOnce) return;
    }
  };

  /** Removes some versions; false when none are left that may go. */
  async function thinSome(document: DocumentPlace): Promise<boolean> {
    const { workspace_id: workspaceId, id: documentId, folder_id: folderId } = document;
    return db.transaction(
      async (tx) => {
        const at = clock().getTime();
        const gone = thinnedOut(await agedVersions(tx, document), thinning, at);
        const some = gone.sort((a, b) => a.number - b.number).slice(0, versionsAtOnce);
        if (some.length === 0) return false;
        const numbers = some.map(({ number }) => number);
        await removeSomeVersions(tx, document, numbers);
        await enqueue(tx, { kind: releaseJob, payload: { versionIds: some.map(({ id }) => id) } });
        const facts = some.map(({ id, number, digest, size }) => ({
          kind: ChangeKind.VERSION_REMOVED,
          documentId,
          version: { id, number, digest, size: BigInt(size) },
          ...(folderId !== "" && { folderId }),
        }));
        await recordChanges(tx, workspaceId, at, "", facts);
        afterCommit(tx, () => events.versionsThinned(documentId, some.length));
        return gone.length > some.length;
      },
      { lock: workspaceId },
    );
  }
}
