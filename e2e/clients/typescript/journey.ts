// The main job with clients that `buf generate` made from `proto/`, over gRPC: `node journey.ts`, with DOCKET_URL set.
// The packages and the templates are those of examples/consumer/typescript, a folder with which this file is put together.

import { strict as assert } from "node:assert";
import { createHash, randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ChangeKind, WatchStart } from "./gen/docket/document/v1/change_pb.ts";
import { ChangeService } from "./gen/docket/document/v1/change_service_pb.ts";
import { DocumentService } from "./gen/docket/document/v1/document_service_pb.ts";
import { NewVersionRule, TaskStatus } from "./gen/docket/document/v1/task_pb.ts";
import { TaskService } from "./gen/docket/document/v1/task_service_pb.ts";
import { VersionService } from "./gen/docket/document/v1/version_service_pb.ts";
import { TransferService } from "./gen/docket/storage/v1/transfer_service_pb.ts";
import { UploadState } from "./gen/docket/storage/v1/upload_pb.ts";
import { UploadService } from "./gen/docket/storage/v1/upload_service_pb.ts";
import { BuiltInRole } from "./gen/docket/user/v1/role_pb.ts";
import { RoleService } from "./gen/docket/user/v1/role_service_pb.ts";
import { SessionService } from "./gen/docket/user/v1/session_service_pb.ts";
import { WorkspaceService } from "./gen/docket/user/v1/workspace_service_pb.ts";

const baseUrl = process.env.DOCKET_URL ?? "http://127.0.0.1:8080";
const chunkBytes = 256 * 1024;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();

/** Signs up and gives clients that are signed in. */
async function signUp(name: string) {
  const email = `${name.toLowerCase()}-ts-${Date.now()}@example.com`;
  const anonymous = createGrpcTransport({ baseUrl });
  const request = { email, password: `correct horse ${name} battery`, displayName: name };
  const { sessionSecret, user } = await createClient(SessionService, anonymous).signUp(request);
  const transport = createGrpcTransport({
    baseUrl,
    interceptors: [
      (next) => (call) => {
        call.header.set("authorization", `Bearer ${sessionSecret}`);
        return next(call);
      },
    ],
  });
  return {
    id: user?.id ?? "",
    email,
    workspaces: createClient(WorkspaceService, transport),
    roles: createClient(RoleService, transport),
    documents: createClient(DocumentService, transport),
    versions: createClient(VersionService, transport),
    tasks: createClient(TaskService, transport),
    changes: createClient(ChangeService, transport),
    uploads: createClient(UploadService, transport),
    transfers: createClient(TransferService, transport),
  };
}

type Person = Awaited<ReturnType<typeof signUp>>;

/** Writes bytes from `offset` on. With `cutAt` the stream breaks there, as when a network goes away. */
async function write(person: Person, uploadId: string, bytes: Uint8Array, offset: number, cutAt = Infinity) {
  const cut = new AbortController();
  async function* requests() {
    yield { part: { case: "start" as const, value: { uploadId, offset: BigInt(offset) } } };
    for (let at = offset; at < bytes.length; at += chunkBytes) {
      if (at >= cutAt) {
        // What lies in buffers on the way would be lost with the stream; give it a moment to be sent.
        await pause(200);
        cut.abort();
      }
      yield { part: { case: "chunk" as const, value: bytes.subarray(at, at + chunkBytes) } };
    }
  }
  await person.transfers.writeBlob(requests(), { signal: cut.signal });
}

/** Uploads a file, cut half-way and resumed if it has more than one chunk. */
async function upload(person: Person, workspaceId: string, name: string, bytes: Uint8Array): Promise<string> {
  const digest = sha256(bytes);
  const size = BigInt(bytes.length);
  const made = await person.uploads.createUpload({ workspaceId, name, size, sha256: digest });
  const uploadId = made.upload?.id ?? "";
  let offset = 0;
  if (bytes.length > chunkBytes) {
    await assert.rejects(write(person, uploadId, bytes, 0, bytes.length / 2), /cancel|abort/i);
    // The server learns of the cut, and makes durable what it has, a moment after this client gave up.
    for (let tries = 0; offset === 0 && tries < 100; tries += 1) {
      await pause(100);
      offset = Number((await person.uploads.getUpload({ uploadId })).upload?.offset);
    }
    assert(offset > 0 && offset < bytes.length, `after the cut the upload stands at ${offset}`);
    console.log(`  cut; resumes at ${offset} of ${bytes.length}`);
  }
  await write(person, uploadId, bytes, offset);
  const { upload: done } = await person.uploads.completeUpload({ uploadId, wait: { seconds: 30n } });
  assert.equal(done?.state, UploadState.STORED);
  return uploadId;
}

async function download(person: Person, documentId: string, number: number): Promise<string> {
  const { ticket } = await person.versions.createDownloadTicket({ documentId, number });
  const hash = createHash("sha256");
  for await (const { part } of person.transfers.readBlob({ ticket })) {
    if (part.case === "chunk") hash.update(part.value);
  }
  return hash.digest("hex");
}

const anna = await signUp("Anna");
const ben = await signUp("Ben");
const { workspace } = await anna.workspaces.createWorkspace({ name: "Harbour Works" });
const workspaceId = workspace?.id ?? "";
const { roles } = await anna.roles.listRoles({ workspaceId });
const roleId = roles.find(({ builtIn }) => builtIn === BuiltInRole.MEMBER)?.id ?? "";
const { secret } = await anna.workspaces.createInvitation({ workspaceId, email: ben.email, roleId });
await ben.workspaces.acceptInvitation({ secret });
console.log("two people share a workspace");

const files = [randomBytes(16 * 1024 * 1024), randomBytes(100_000)] as const;
const { document } = await anna.documents.createDocument({
  parent: { case: "workspaceId", value: workspaceId },
  uploadId: await upload(anna, workspaceId, "Drawing.bin", files[0]),
  title: "Drawing",
});
const documentId = document?.id ?? "";
const { task } = await anna.tasks.createTask({
  place: { case: "documentId", value: documentId },
  versionNumber: 1,
  title: "Check the figures",
  assignee: { assignee: { case: "personId", value: ben.id } },
  onNewVersion: NewVersionRule.GO_STALE,
});
const secondUpload = await upload(anna, workspaceId, "Drawing 2.bin", files[1]);
const { version } = await anna.versions.createVersion({ documentId, uploadId: secondUpload, label: "second" });
assert.equal(version?.number, 2);
console.log("a document has two versions and a task on the first");

const { tasks } = await ben.tasks.listTasks({ assignedToMe: true });
assert.deepEqual(
  tasks.map(({ id, stale, pin }) => [id, stale, pin?.versionNumber]),
  [[task?.id, true, 1]],
);
const completed = await ben.tasks.completeTask({ taskId: task?.id ?? "" });
assert.equal(completed.task?.status, TaskStatus.COMPLETED);
for (const [index, bytes] of files.entries()) {
  assert.equal(await download(ben, documentId, index + 1), sha256(bytes).toString("hex"));
}
console.log("the other person completed it, and both versions came down byte for byte");

const expected = [
  ChangeKind.DOCUMENT_CREATED,
  ChangeKind.TASK_CREATED,
  ChangeKind.VERSION_CREATED,
  ChangeKind.TASK_COMPLETED,
];
const stop = new AbortController();
const seen: ChangeKind[] = [];
let sequence = 0n;
const request = { filter: { workspaceIds: [workspaceId], kinds: expected }, start: WatchStart.OLDEST };
for await (const { changes } of anna.changes.watchChanges(request, { signal: stop.signal, timeoutMs: 30_000 })) {
  for (const change of changes) {
    assert(change.sequence > sequence, "the workspace's order");
    sequence = change.sequence;
    seen.push(change.kind);
  }
  if (seen.length >= expected.length) break;
}
stop.abort();
assert.deepEqual(seen, expected);
console.log("the stream of changes told all of it, in order");
process.exit();
