// Fills a workspace to look at, through the public API alone. It looks for what is there before it makes anything, so
// that a filling which was cut goes on and one that is complete changes nothing.

import { readFile } from "node:fs/promises";
import { GrantLevel } from "@docket/contracts/gen/docket/document/v1/grant_pb.ts";
import { InvitationState } from "@docket/contracts/gen/docket/user/v1/invitation_pb.ts";
import { PrincipalKind } from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";
import { type DemoAccounts, joinedBen, openAccounts } from "./accounts.ts";
import { everyPage, type Hand, requestId, upload } from "./client.ts";
import { documents, finished, folders } from "./documents.ts";
import { type Filling, fillComments, type KnownDocument } from "./filling.ts";
import { anna, ben, workspaceName } from "./people.ts";
import { type DemoDocument, type DemoVersion, mediaTypes } from "./shape.ts";
import { fillTasks } from "./task_fill.ts";

/** How the demonstration tells what it does. */
export interface DemoOptions {
  /** Told each line. Default: standard output. */
  readonly say?: (line: string) => void;
  /** Told each thing that was made, before the next one. For tests that stop in the middle. */
  readonly made?: (what: string) => void;
}

/** Fills in what is missing and says who can sign in. Throws StartError where this instance is not for trying out. */
export async function runDemo(url: string, options: DemoOptions = {}): Promise<void> {
  const { say = (line) => void process.stdout.write(`${line}\n`), made = () => undefined } = options;
  const accounts = await openAccounts(url);
  try {
    const workspaceId = await workspace(accounts.anna, made);
    if (!(await isFinished(accounts.anna, workspaceId))) {
      say(`Filling the workspace ${workspaceName}…`);
      await fill(url, accounts, workspaceId, made);
    }
  } finally {
    // Sessions of the demonstration itself are of no use to anybody.
    await accounts.anna.sessions.signOut({});
    await accounts.ben?.sessions.signOut({});
  }
  say(`The workspace ${workspaceName} is a demonstration: everybody knows these passwords. Sign in at ${url} as`);
  for (const { email, password } of [anna, ben]) say(`  ${email.padEnd(18)} with ${password}`);
}

async function fill(url: string, accounts: DemoAccounts, workspaceId: string, made: (what: string) => void) {
  const owner = accounts.anna;
  const roles = await everyPage(
    (page) => owner.roles.listRoles({ workspaceId, ...page }),
    (page) => page.roles,
  );
  const roleOf = (name: string) => roles.find((role) => role.name.toLowerCase() === name)?.id ?? "";
  const second = await joinedBen(url, accounts, workspaceId, roleOf("member"));
  const [one, other] = await Promise.all([owner.sessions.getSession({}), second.sessions.getSession({})]);
  const people = { anna: one.user?.id ?? "", ben: other.user?.id ?? "" };
  const inspectors = await group(owner, workspaceId, Object.values(people), made);
  const filling: Filling = { workspaceId, anna: owner, ben: second, ids: { ...people, inspectors }, made };
  try {
    const folderIds = await fillFolders(filling);
    await grantInspections(filling, folderIds.get("Cranes/Inspections") ?? "");
    const known = await fillDocuments(filling, folderIds);
    await fillTasks(filling, known);
    await invite(filling, roleOf("guest"));
    await fillComments(filling, { case: "documentId", value: known.get(finished.on)?.id ?? "" }, [finished.comment]);
  } finally {
    if (accounts.ben === undefined) await second.sessions.signOut({});
  }
}

async function workspace({ workspaces }: Hand, made: (what: string) => void): Promise<string> {
  const mine = await everyPage(
    (page) => workspaces.listWorkspaces(page),
    (page) => page.workspaces,
  );
  const known = mine.find(({ name }) => name === workspaceName);
  if (known !== undefined) return known.id;
  const answer = await workspaces.createWorkspace({
    name: workspaceName,
    timeZone: "Europe/Stockholm",
    requestId: requestId("workspace"),
  });
  made(workspaceName);
  return answer.workspace?.id ?? "";
}

/** Whether an earlier filling came to its end. What people changed since then is theirs. */
async function isFinished(hand: Hand, workspaceId: string): Promise<boolean> {
  const known = (await knownDocuments(hand, workspaceId)).get(finished.on);
  if (known === undefined) return false;
  const { comments } = await hand.comments.listComments({ subject: { case: "documentId", value: known.id } });
  return comments.some(({ body }) => body === finished.comment.body);
}

async function group(hand: Hand, workspaceId: string, people: string[], made: (what: string) => void) {
  const name = "Crane inspectors";
  const groups = await everyPage(
    (page) => hand.groups.listGroups({ workspaceId, ...page }),
    (page) => page.groups,
  );
  let groupId = groups.find((each) => each.name === name)?.id;
  if (groupId === undefined) {
    const description = "Who may say that a crane is fit to lift.";
    const answer = await hand.groups.createGroup({
      workspaceId,
      name,
      description,
      requestId: requestId("group", name),
    });
    groupId = answer.group?.id ?? "";
    made(name);
  }
  const { members } = await hand.groups.listGroupMembers({ workspaceId, groupId });
  for (const id of people) {
    if (members.some(({ principal }) => principal?.id === id)) continue;
    await hand.groups.addGroupMember({ workspaceId, groupId, principal: { kind: PrincipalKind.PERSON, id } });
  }
  return groupId;
}

/** Ids by the names on the way down. */
async function fillFolders({ anna: hand, workspaceId, made }: Filling): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  for (const path of folders) {
    const steps = path.split("/");
    const name = steps.pop() ?? "";
    const above = ids.get(steps.join("/"));
    const parent =
      above === undefined
        ? ({ case: "workspaceId", value: workspaceId } as const)
        : ({ case: "folderId", value: above } as const);
    const there = await everyPage(
      (page) => hand.folders.listFolders({ parent, ...page }),
      (page) => page.folders,
    );
    let id = there.find((each) => each.name === name)?.id;
    if (id === undefined) {
      const answer = await hand.folders.createFolder({
        parent,
        name,
        requestId: requestId("folder", parent.value, name),
      });
      id = answer.folder?.id ?? "";
      made(path);
    }
    ids.set(path, id);
  }
  return ids;
}

/** Members may change everything; inspectors own what they are responsible for. */
async function grantInspections({ anna: hand, ids }: Filling, folderId: string): Promise<void> {
  const resource = { case: "folderId", value: folderId } as const;
  const { grants } = await hand.grants.listGrants({ resource });
  if (grants.some(({ principal }) => principal?.principal.value === ids.inspectors)) return;
  const principal = { principal: { case: "groupId", value: ids.inspectors } } as const;
  await hand.grants.setGrant({ resource, principal, level: GrantLevel.OWNER });
}

async function knownDocuments(hand: Hand, workspaceId: string): Promise<Map<string, KnownDocument>> {
  const known = new Map<string, KnownDocument>();
  for (const trashed of [true, false]) {
    const parent = { case: "workspaceId", value: workspaceId } as const;
    const found = await everyPage(
      (page) => hand.documents.listDocuments({ parent, anywhere: true, trashed, ...page }),
      (page) => page.documents,
    );
    for (const { id, title, version } of found) known.set(title, { id, versions: version?.number ?? 0, trashed });
  }
  return known;
}

async function fillDocuments(
  filling: Filling,
  folderIds: ReadonlyMap<string, string>,
): Promise<Map<string, KnownDocument>> {
  const known = await knownDocuments(filling.anna, filling.workspaceId);
  for (const wanted of documents) {
    const there = known.get(wanted.title);
    const id = there?.id ?? (await makeDocument(filling, wanted, folderIds.get(wanted.folder)));
    if (there?.trashed) continue;
    for (const [index, version] of wanted.versions.entries()) {
      if (index + 1 <= (there?.versions ?? 1)) continue;
      await addVersion(filling, id, version);
      filling.made(`${wanted.title}, version ${index + 1}`);
    }
    await fillComments(filling, { case: "documentId", value: id }, wanted.comments);
    if (wanted.trashed) await filling.anna.documents.deleteDocument({ documentId: id });
    known.set(wanted.title, { id, versions: wanted.versions.length, trashed: wanted.trashed ?? false });
  }
  return known;
}

async function makeDocument(filling: Filling, wanted: DemoDocument, folderId: string | undefined): Promise<string> {
  const [first] = wanted.versions;
  const uploadId = await uploaded(filling, first);
  const { document } = await filling[first.by].documents.createDocument({
    parent:
      folderId === undefined
        ? { case: "workspaceId", value: filling.workspaceId }
        : { case: "folderId", value: folderId },
    uploadId,
    title: wanted.title,
    tags: [...(wanted.tags ?? [])],
    label: first.label ?? "",
    note: first.note ?? "",
    requestId: requestId("document", uploadId),
  });
  filling.made(wanted.title);
  return document?.id ?? "";
}

async function addVersion(filling: Filling, documentId: string, version: DemoVersion): Promise<void> {
  const { versions } = filling[version.by];
  const note = version.note ?? "";
  if ("restores" in version) {
    const number = version.restores;
    await versions.restoreVersion({ documentId, number, note, requestId: requestId("restore", documentId, note) });
    return;
  }
  const uploadId = await uploaded(filling, version);
  const label = version.label ?? "";
  await versions.createVersion({ documentId, uploadId, label, note, requestId: requestId("version", uploadId) });
}

async function uploaded(filling: Filling, version: DemoVersion): Promise<string> {
  const file = "file" in version ? version.file : "";
  const bytes = new Uint8Array(await readFile(new URL(`files/${file}`, import.meta.url)));
  return await upload(filling[version.by], {
    workspaceId: filling.workspaceId,
    // Kept as `schedule.2.csv`, so that the files of all versions can lie side by side.
    name: file.replace(/\.\d(?=\.[a-z0-9]+$)/, ""),
    mediaType: mediaTypes[file.split(".").at(-1) ?? ""] ?? "application/octet-stream",
    bytes,
  });
}

/** Somebody who has not come yet. */
async function invite({ anna: hand, workspaceId, made }: Filling, roleId: string): Promise<void> {
  const email = "carla@example.com";
  const invitations = await everyPage(
    (page) => hand.workspaces.listInvitations({ workspaceId, ...page }),
    (page) => page.invitations,
  );
  if (invitations.some((each) => each.email === email && each.state === InvitationState.PENDING)) return;
  await hand.workspaces.createInvitation({ workspaceId, email, roleId });
  made("an invitation");
}
