// One person's way through an installation, short and cleaned up after: what a new version is asked before people meet it.
// It is given an address and an account, and needs nothing that an image leaves out.

import { strict as assert } from "node:assert";
import { ChangeKind, WatchStart } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { madeFile } from "./bytes.ts";
import { type Person, signIn } from "./person.ts";
import { digestOverGrpc, digestOverHttp, upload } from "./transfer.ts";

/** What a preview needs. */
export interface PreviewOptions {
  /** Where the edge is: `https://docket.example.com`. */
  readonly url: string;
  readonly account: Pick<Person, "email" | "password">;
  /** Whether versions on trial shall answer, where there are any. Default: false. */
  readonly preview?: boolean;
  /** Says each step. Default: nobody is told. */
  readonly log?: (line: string) => void;
}

/** How long the log of changes may take to tell of one, in milliseconds. */
const patienceMs = 15_000;

/** Signs in, adds a document, reads it back in both ways, hears of it, and removes all of it. Throws at the first fault. */
export async function runPreview({
  url,
  account,
  preview = false,
  log = () => undefined,
}: PreviewOptions): Promise<void> {
  const person = await signIn(url, account, preview ? { "x-docket-preview": "1" } : {});
  const { workspace } = await person.workspaces.createWorkspace({ name: "Preview" });
  const workspaceId = workspace?.id ?? "";
  log(`${account.email} made workspace ${workspaceId}`);
  try {
    const file = madeFile("preview", 1_000_000);
    const uploadId = await upload(person, { workspaceId, name: "Preview.bin", file });
    const parent = { case: "workspaceId", value: workspaceId } as const;
    const { document } = await person.documents.createDocument({ parent, uploadId, title: "Preview" });
    const id = document?.id ?? "";
    log(`the file is document ${id}`);
    const digest = file.sha256().toString("hex");
    assert.equal(await digestOverGrpc(person, id, 1), digest, "what is downloaded over gRPC is what was sent");
    assert.equal(await digestOverHttp(person, id, 1), digest, "what is downloaded over HTTP is what was sent");
    const { documents } = await person.documents.listDocuments({ parent });
    assert.deepEqual(
      documents.map((listed) => listed.id),
      [id],
    );
    await hearsOf(person, workspaceId, id);
    log("it was read back, listed and told of");
  } finally {
    await person.workspaces.deleteWorkspace({ workspaceId });
    await person.sessions.signOut({});
  }
}

async function hearsOf(person: Person, workspaceId: string, documentId: string): Promise<void> {
  const request = { filter: { workspaceIds: [workspaceId] }, start: WatchStart.OLDEST };
  for await (const { changes } of person.changes.watchChanges(request, { signal: AbortSignal.timeout(patienceMs) })) {
    if (changes.some((each) => each.kind === ChangeKind.DOCUMENT_CREATED && each.documentId === documentId)) return;
  }
  assert.fail("the log of changes did not tell of the document");
}
