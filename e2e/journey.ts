// The main job, as two people, a stranger and a service do it at the edge. It is given an address and nothing else, so
// the same journey runs against one process, against one process per service, and against a cluster.

import { createHash } from "node:crypto";
import { strict as assert } from "node:assert";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Change } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { ChangeKind, WatchStart } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";

import { NewVersionRule, TaskStatus } from "@docket/contracts/gen/docket/document/v1/task_pb.ts";
import { madeFile, pdf } from "./bytes.ts";
import { type Person, signIn, signUp } from "./person.ts";
import { digestOverGrpc, digestOverHttp, upload } from "./transfer.ts";
import { tusUpload } from "./tus.ts";
import { Watcher } from "./watcher.ts";

/** Accounts that are there already, by the name of who plays them. */
export type JourneyPeople = Readonly<Record<"Anna" | "Ben" | "Eve", Pick<Person, "email" | "password">>>;

/** What a journey needs. */
export interface JourneyOptions {
  /** Where the edge is: `http://127.0.0.1:8080`. */
  readonly url: string;
  /** The size of the large file, in bytes. Default: 300 MB. */
  readonly largeBytes?: number;
  /** Says each step. Default: nobody is told. */
  readonly log?: (line: string) => void;
  /** Who goes it, where nobody may sign up without an invitation. Default: three people sign up. */
  readonly people?: JourneyPeople;
  /** Whether the workspace is deleted in the end, and the sessions ended. Default: false. */
  readonly clean?: boolean;
}

/** Goes the whole way and throws at the first thing that is not as promised. */
export async function runJourney({
  url,
  largeBytes = 300_000_000,
  log = () => undefined,
  people,
  clean = false,
}: JourneyOptions): Promise<void> {
  const person = async (name: keyof JourneyPeople) =>
    people === undefined ? await signUp(url, name) : await signIn(url, people[name]);
  const anna = await person("Anna");
  const { workspace } = await anna.workspaces.createWorkspace({ name: "Harbour Works" });
  const workspaceId = workspace?.id ?? "";
  log(`${anna.email} made workspace ${workspaceId}`);

  const ben = await person("Ben");
  const invited = await anna.workspaces.createInvitation({
    workspaceId,
    email: ben.email,
    roleId: await roleNamed(anna, workspaceId, "member"),
  });
  assert.match(invited.link, /\/invitations\//);
  await ben.workspaces.acceptInvitation({ secret: invited.link.split("/").at(-1) ?? "" });
  log("Ben accepted the invitation");

  const watcher = new Watcher(anna, { filter: { workspaceIds: [workspaceId] }, start: WatchStart.OLDEST });
  const large = madeFile("drawing", largeBytes);
  const largeUpload = await upload(anna, {
    workspaceId,
    name: "Drawing.bin",
    file: large,
    cutAt: Math.floor(largeBytes / 2),
    log,
  });
  const { document: drawing } = await anna.documents.createDocument({
    parent: { case: "workspaceId", value: workspaceId },
    uploadId: largeUpload,
  });
  log(`the large file is document ${drawing?.id}, ${drawing?.version?.size} bytes`);
  assert.equal(Buffer.from(drawing?.version?.digest ?? []).toString("hex"), large.sha256().toString("hex"));

  const firstPdf = pdf("Contract, first draft");
  const contractUpload = await tusUpload(anna, {
    workspaceId,
    name: "Contract.pdf",
    mediaType: "application/pdf",
    bytes: firstPdf,
    cutAt: 200,
  });
  const { document: contract } = await anna.documents.createDocument({
    parent: { case: "workspaceId", value: workspaceId },
    uploadId: contractUpload,
    title: "Contract",
  });
  const documentId = contract?.id ?? "";
  await watcher.until(ChangeKind.DOCUMENT_CREATED, 2);
  // The service that watches is killed here and comes back with the last cursor it kept.
  watcher.kill();

  const { task } = await anna.tasks.createTask({
    place: { case: "documentId", value: documentId },
    versionNumber: 1,
    title: "Check the figures",
    assignee: { assignee: { case: "personId", value: ben.id } },
    onNewVersion: NewVersionRule.GO_STALE,
  });
  const taskId = task?.id ?? "";
  const secondPdf = pdf("Contract, second draft");
  const secondUpload = await tusUpload(anna, {
    workspaceId,
    name: "Contract 2.pdf",
    mediaType: "application/pdf",
    bytes: secondPdf,
  });
  const { version } = await anna.versions.createVersion({ documentId, uploadId: secondUpload, label: "second draft" });
  assert.equal(version?.number, 2);

  watcher.resume();
  const mine = await ben.tasks.listTasks({ assignedToMe: true });
  const seen = mine.tasks.find(({ id }) => id === taskId);
  assert.equal(seen?.stale, true, "a task on version 1 says that version 2 has come");
  assert.equal(seen?.pin?.versionNumber, 1);
  await ben.comments.createComment({
    subject: { case: "taskId", value: taskId },
    body: "The total on page 1 is right.",
  });
  const completed = await ben.tasks.completeTask({ taskId });
  assert.equal(completed.task?.status, TaskStatus.COMPLETED);
  assert.equal(
    completed.task?.completion?.pin?.versionNumber,
    1,
    "what was completed speaks of the version it was about",
  );
  const { comments } = await anna.comments.listComments({ subject: { case: "taskId", value: taskId } });
  assert.equal(comments.length, 1);
  log("Ben saw the task as stale, commented and completed it");

  const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
  for (const [number, bytes] of [
    [1, firstPdf],
    [2, secondPdf],
  ] as const) {
    assert.equal(await digestOverHttp(ben, documentId, number), digest(bytes));
    assert.equal(await digestOverGrpc(ben, documentId, number), digest(bytes));
  }
  assert.equal(await digestOverHttp(ben, drawing?.id ?? "", 1), large.sha256().toString("hex"));
  log("every version came down byte for byte, over HTTP and over gRPC");

  const eve = await person("Eve");
  await refusesStranger(eve, { workspaceId, documentId, taskId, uploadId: secondUpload });
  log("a stranger finds nothing");

  await watcher.until(ChangeKind.TASK_COMPLETED, 1);
  watcher.kill();
  await sawEachOnce(anna, workspaceId, watcher.changes);
  log(`the watcher saw ${watcher.changes.length} changes, each once and in order, across a kill`);

  const again = await signIn(url, anna);
  await again.sessions.signOut({});
  assert.equal(await codeOf(again.documents.getDocument({ documentId })), Code.Unauthenticated);
  if (!clean) return;
  await anna.workspaces.deleteWorkspace({ workspaceId });
  await Promise.all([anna, ben, eve].map(({ sessions }) => sessions.signOut({})));
}

/** The id of a built-in role. */
export async function roleNamed(person: Person, workspaceId: string, name: string): Promise<string> {
  const { roles } = await person.roles.listRoles({ workspaceId });
  const role = roles.find((each) => each.name.toLowerCase() === name);
  assert(role, `there is a role ${name}`);
  return role.id;
}

async function codeOf(call: Promise<unknown>): Promise<Code | undefined> {
  return await call.then(
    () => undefined,
    (error) => ConnectError.from(error).code,
  );
}

async function refusesStranger(
  eve: Person,
  ids: { workspaceId: string; documentId: string; taskId: string; uploadId: string },
): Promise<void> {
  const { workspaceId, documentId, taskId, uploadId } = ids;
  const tries: Record<string, Promise<unknown>> = {
    getWorkspace: eve.workspaces.getWorkspace({ workspaceId }),
    listMembers: eve.workspaces.listMembers({ workspaceId }),
    getDocument: eve.documents.getDocument({ documentId }),
    updateDocument: eve.documents.updateDocument({ documentId, title: "mine", updateMask: { paths: ["title"] } }),
    listVersions: eve.versions.listVersions({ documentId }),
    download: eve.versions.createDownloadTicket({ documentId, number: 1 }),
    getTask: eve.tasks.getTask({ taskId }),
    completeTask: eve.tasks.completeTask({ taskId }),
    comment: eve.comments.createComment({ subject: { case: "documentId", value: documentId }, body: "hello" }),
    getUpload: eve.uploads.getUpload({ uploadId }),
    upload: eve.uploads.createUpload({ workspaceId, name: "x.txt" }),
    search: eve.documents.searchDocuments({ workspaceId, query: "contract" }),
    explain: eve.grants.explainAccess({ resource: { case: "documentId", value: documentId }, permission: 10 }),
  };
  const codes = await Promise.all(
    Object.entries(tries).map(async ([name, call]) => ({ name, code: await codeOf(call) })),
  );
  for (const { name, code } of codes) assert.equal(code, Code.NotFound, `${name} tells a stranger nothing`);
  const response = await eve.http(`/files/documents/${documentId}/versions/1`);
  assert.equal(response.status, 404);
}

/** The log itself, listed, is what the watcher must have seen. */
async function sawEachOnce(person: Person, workspaceId: string, seen: readonly Change[]): Promise<void> {
  const listed: Change[] = [];
  let cursor = "";
  for (;;) {
    const page = await person.changes.listChanges({
      filter: { workspaceIds: [workspaceId] },
      start: WatchStart.OLDEST,
      cursor,
    });
    listed.push(...page.changes);
    cursor = page.cursor;
    if (!page.more) break;
  }
  const ids = seen.map(({ id }) => id);
  assert.deepEqual(ids, [...new Set(ids)], "no change twice");
  assert.deepEqual(
    ids,
    listed.slice(0, ids.length).map(({ id }) => id),
    "each change, in order",
  );
}
