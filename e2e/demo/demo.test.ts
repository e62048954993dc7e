// The demonstration as somebody gets it who says `npm start -- --demo`: once, after a kill, and again.

import { describe, expect, it } from "@jest/globals";
import { WatchStart } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { TaskOutcome, TaskStatus } from "@docket/contracts/gen/docket/document/v1/task_pb.ts";
import { InvitationState } from "@docket/contracts/gen/docket/user/v1/invitation_pb.ts";
import { eventually } from "@docket/runtime/testing/eventually";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { startWhole } from "../kill.ts";
import { startMesh } from "../mesh.ts";
import { type Person, signIn, signUp } from "../person.ts";
import { documents, folders } from "./documents.ts";
import { runDemo } from "./fill.ts";
import { anna, ben, workspaceName } from "./people.ts";
import { tasks } from "./tasks.ts";

const pageSize = 200;
// As for everybody who is not a test.
const limits = { RATE_LIMIT_PERCENT: "100" };
const quiet = { LOG_LEVEL: "error", PORT: "0" };

async function workspaceOf(person: Person): Promise<string> {
  const { workspaces } = await person.workspaces.listWorkspaces({ pageSize });
  expect(workspaces.map(({ name }) => name)).toEqual([workspaceName]);
  return workspaces[0]?.id ?? "";
}

async function documentsOf(person: Person, workspaceId: string, trashed = false) {
  const parent = { case: "workspaceId", value: workspaceId } as const;
  return (await person.documents.listDocuments({ parent, anywhere: true, trashed, pageSize })).documents;
}

/** The log of all that changed, to its end. */
async function changesOf(person: Person, workspaceId: string, from = "") {
  let [cursor, count] = [from, 0];
  for (;;) {
    const start = cursor === "" ? { start: WatchStart.OLDEST } : {};
    const page = await person.changes.listChanges({ filter: { workspaceIds: [workspaceId] }, cursor, ...start });
    count += page.changes.length;
    cursor = page.cursor;
    if (!page.more) return { cursor, count };
  }
}

/** What the log of documents does not tell. */
async function peopleOf(person: Person, workspaceId: string) {
  const { groups } = await person.groups.listGroups({ workspaceId, pageSize });
  return {
    groups,
    members: (await person.workspaces.listMembers({ workspaceId, pageSize })).members,
    inspectors: (await person.groups.listGroupMembers({ workspaceId, groupId: groups[0]?.id ?? "", pageSize })).members,
    invitations: (await person.workspaces.listInvitations({ workspaceId, pageSize })).invitations,
    sessions: (await person.sessions.listSessions({ pageSize })).sessions.length,
  };
}

async function foldersBelow(person: Person, parent: { case: "workspaceId" | "folderId"; value: string }) {
  const found = (await person.folders.listFolders({ parent, pageSize })).folders;
  const names: string[] = [];
  for (const { id, name } of found) {
    const below = await foldersBelow(person, { case: "folderId", value: id });
    names.push(name, ...below.map((each) => `${name}/${each}`));
  }
  return names;
}

/** Everything is there, and nothing twice. */
async function expectComplete(person: Person): Promise<void> {
  const workspaceId = await workspaceOf(person);
  const root = { case: "workspaceId", value: workspaceId } as const;
  expect((await foldersBelow(person, root)).sort()).toEqual([...folders].sort());
  for (const trashed of [false, true]) {
    const wanted = documents.filter((each) => (each.trashed ?? false) === trashed);
    const there = await documentsOf(person, workspaceId, trashed);
    const versionsOf = (title: string) => wanted.find((each) => each.title === title)?.versions.length;
    expect(there.map(({ title }) => title).sort()).toEqual(wanted.map(({ title }) => title).sort());
    expect(there.map(({ version }) => version?.number)).toEqual(there.map(({ title }) => versionsOf(title)));
  }
  const shown = await documentsOf(person, workspaceId);
  expect(shown.length).toBeGreaterThanOrEqual(30);
  const types = shown.map(({ version }) => version?.mediaType ?? "");
  for (const type of ["application/pdf", "video/mp4", "audio/wav", "image/webp", "image/svg+xml", "application/zip"])
    expect(types).toContain(type);

  const made = (await person.tasks.listTasks({ place: root, pageSize })).tasks;
  expect(made.map(({ title }) => title).sort()).toEqual(tasks.map(({ title }) => title).sort());
  const open = made.filter(({ status }) => status !== TaskStatus.COMPLETED);
  expect(open.filter(({ stale }) => stale)).toHaveLength(1);
  expect(made.length - open.length).toBe(tasks.filter(({ done }) => done).length);
  const outcomes = made.map(({ completion }) => completion?.outcome);
  expect(outcomes).toEqual(expect.arrayContaining([TaskOutcome.APPROVED, TaskOutcome.REJECTED]));
  for (const wanted of documents) {
    const value = shown.find(({ title }) => title === wanted.title)?.id;
    if (value === undefined || wanted.comments === undefined) continue;
    const { comments } = await person.comments.listComments({ subject: { case: "documentId", value } });
    expect(comments.map(({ body }) => body)).toEqual(wanted.comments.map(({ body }) => body));
  }
  const { groups, members, inspectors, invitations } = await peopleOf(person, workspaceId);
  expect(groups.map(({ name }) => name)).toEqual(["Crane inspectors"]);
  expect([members.length, inspectors.length]).toEqual([2, 2]);
  expect(invitations.filter(({ state }) => state === InvitationState.PENDING)).toHaveLength(1);
}

describe("the demonstration", () => {
  it("goes on after a kill, makes nothing twice, and changes nothing once it is complete", async () => {
    await using folder = await temporaryFolder();
    const first = await startWhole(folder.path, limits, undefined, ["--no-portal", "--demo"]);
    try {
      const person = await eventually(() => signIn(first.url, anna), { intervalMs: 100 });
      await eventually(async () => (await documentsOf(person, await workspaceOf(person))).length > 5);
    } finally {
      await first.end("SIGKILL");
    }

    const second = await startWhole(folder.path, limits);
    try {
      const before = await signIn(second.url, anna);
      const cut = (await documentsOf(before, await workspaceOf(before))).length;
      expect(cut).toBeLessThan(documents.length);
      const said: string[] = [];
      await runDemo(second.url, { say: (line) => said.push(line) });
      await expectComplete(before);

      const workspaceId = await workspaceOf(before);
      const [log, people] = [await changesOf(before, workspaceId), await peopleOf(before, workspaceId)];
      expect(log.count).toBeGreaterThan(documents.length);
      const saidAgain: string[] = [];
      await runDemo(second.url, { say: (line) => saidAgain.push(line) });
      expect(await changesOf(before, workspaceId, log.cursor)).toEqual({ cursor: log.cursor, count: 0 });
      expect(await peopleOf(before, workspaceId)).toEqual(people);
      for (const text of [said, saidAgain].map((lines) => lines.join("\n")))
        for (const { email, password } of [anna, ben]) expect(text).toMatch(new RegExp(`${email} +with ${password}`));
      expect(await signIn(second.url, ben)).toMatchObject({ email: ben.email });
    } finally {
      await second.end("SIGTERM");
    }
  }, 180_000);

  it("is filled in where only invited people sign up, if nobody is there yet", async () => {
    await using folder = await temporaryFolder();
    await using mesh = await startMesh({ ...quiet, DOCKET_DATA_DIR: folder.path, SIGN_UP: "invitation" });
    await runDemo(mesh.url, { say: () => undefined });
    await expectComplete(await signIn(mesh.url, anna));
  });

  it("is refused in a sentence, and makes nothing, where others have accounts and sign-up is closed", async () => {
    await using folder = await temporaryFolder();
    await using mesh = await startMesh({ ...quiet, DOCKET_DATA_DIR: folder.path, SIGN_UP: "invitation" });
    const other = await signUp(mesh.url, "Other");
    await expect(runDemo(mesh.url)).rejects.toThrow(/cannot be filled in: other people have accounts here/);
    expect((await other.users.listUsers({ pageSize })).users).toHaveLength(1);
  });

  it("is refused in a sentence, and makes nothing, where Anna has another password", async () => {
    await using folder = await temporaryFolder();
    await using mesh = await startMesh({ ...quiet, DOCKET_DATA_DIR: folder.path });
    const { sessions } = await signUp(mesh.url, "Other");
    await sessions.signUp({ ...anna, password: "another password" });
    const same = await signIn(mesh.url, { email: anna.email, password: "another password" });
    await expect(runDemo(mesh.url)).rejects.toThrow(/anna@example.com has an account here with another password/);
    expect((await same.workspaces.listWorkspaces({})).workspaces).toEqual([]);
  });
});
