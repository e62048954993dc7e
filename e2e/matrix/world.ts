// The world in which the matrix is played: one mesh, one workspace with everybody in it, and a folder with grants.

import type { GrantLevel } from "@docket/contracts/gen/docket/document/v1/grant_pb.ts";
import { Permission, Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { PrincipalKind } from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";
import { TokenService } from "@docket/contracts/gen/docket/user/v1/token_service_pb.ts";
import { keyScopeOf, keyScopes } from "@docket/contracts/policy";
import type { Rpc } from "@docket/contracts/registry";
import { createLogger } from "@docket/runtime/logger";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { testParts } from "@docket/runtime/testing/test_parts";
import { type RunningMesh, startMesh } from "../mesh.ts";
import { type Clients, clientsOf } from "../person.ts";
import { Callers, Ledger, transportAs } from "./calls.ts";
import { type Actor, grantOf, roleOf, rolePermissions, type SubjectName } from "./subjects.ts";
import { storeUpload } from "./uploads.ts";

/** The ids of the built-in roles, as docket.user.v1.Role names them. */
export const roleIds = {
  owner: "00000000-0000-7000-8000-000000000001",
  admin: "00000000-0000-7000-8000-000000000002",
  member: "00000000-0000-7000-8000-000000000003",
  guest: "00000000-0000-7000-8000-000000000004",
} as const;

/** Persons who act in the background. */
export type ExtraName = "founder" | "colleague" | "clerk";

/** The prepared world. */
export interface World extends AsyncDisposable {
  readonly mesh: RunningMesh;
  readonly callers: Callers;
  readonly ledger: Ledger;
  /** The subjects; the key without the scope is another one for each RPC: see {@link World.subject}. */
  readonly actors: Readonly<Record<Exclude<SubjectName, "key without the scope">, Actor>>;
  /** The subject of this name for an RPC. */
  subject(name: SubjectName, rpc: Rpc): Actor;
  /** An owner of other workspaces, a member that things are done to, another one. */
  readonly extras: Readonly<Record<ExtraName, Actor>>;
  /** Signs up somebody who is in no workspace. */
  person(name: SubjectName): Promise<Actor>;
  readonly workspaceId: string;
  /** The role of viewers, commenters and editors: it gives nothing on documents by itself. */
  readonly contractorRoleId: string;
  /** The folder with the grants, another one in it, and a document with version 1 in it. */
  readonly folderId: string;
  readonly innerFolderId: string;
  readonly documentId: string;
  readonly versionId: string;
  /** An application without keys, groups for members and for roles, a role that nobody holds. */
  readonly applicationId: string;
  readonly groupId: string;
  readonly roleGroupId: string;
  readonly roleId: string;
}

/** A number that no other call of this process got. */
let counter = 0;
export function next(): number {
  counter += 1;
  return counter;
}

/** Starts the mesh and prepares the world. */
export async function openWorld(): Promise<World> {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(await temporaryFolder());
  const ledger = new Ledger();
  const mesh = parts.use(
    await startMesh(
      {
        DOCKET_DATA_DIR: folder.path,
        PORT: "0",
        RATE_LIMIT_PERCENT: "0",
        EDGE_MAX_LOOP_DELAY: "0s",
        WEBHOOKS_PER_WORKSPACE: "1000",
        ...(await testParts(folder.path)),
      },
      { logger: createLogger({ level: "error" }), observe: ledger.observe },
    ),
  );
  const callers = parts.use(await Callers.connect(mesh, folder.path, ledger));
  const person = (name: SubjectName) => signUp(callers, name);

  // The first account administers the instance.
  const administrator = await person("administrator");
  const extras = { founder: await person("owner"), colleague: await person("member"), clerk: await person("member") };
  const owner = await person("owner");
  const made = await owner.clients.workspaces.createWorkspace({ name: "A Quay" });
  const workspaceId = made.workspace?.id ?? "";
  const { role: contractor } = await owner.clients.roles.createRole({
    workspaceId,
    name: "Contractor",
    permissions: [...rolePermissions.contractor],
  });
  const contractorRoleId = contractor?.id ?? "";

  const joined = async (name: SubjectName): Promise<Actor> => {
    const actor = await person(name);
    const role = roleOf[name] ?? "guest";
    await join(owner, actor, workspaceId, role === "contractor" ? contractorRoleId : roleIds[role]);
    return actor;
  };
  await join(owner, extras.colleague, workspaceId, roleIds.member);
  await join(owner, extras.clerk, workspaceId, roleIds.member);
  const persons = {
    stranger: await person("stranger"),
    guest: await joined("guest"),
    viewer: await joined("viewer"),
    commenter: await joined("commenter"),
    editor: await joined("editor"),
    "folder owner": await joined("folder owner"),
    member: await joined("member"),
    admin: await joined("admin"),
  };

  const keyActor = (name: SubjectName, applicationId: string, scopes: readonly Permission[]) =>
    createKey(callers, owner, { name, workspaceId, applicationId, scopes });
  const robot = await enroll(owner, workspaceId, "Robot");
  await owner.clients.roles.setRoleBinding({
    workspaceId,
    principal: { kind: PrincipalKind.APPLICATION, id: robot },
    roleId: roleIds.admin,
  });
  const lacking = new Map<Permission, Actor>();
  for (const scope of keyScopes) {
    const others = keyScopes.filter((other) => other !== scope);
    lacking.set(scope, await keyActor("key without the scope", robot, others));
  }
  const nobody: Actor = {
    ...{ name: "nobody", kind: "nobody", id: "", secret: "", scopes: [], email: "", password: "" },
    token: async () => undefined,
    clients: clientsOf(transportAs(callers.of(Workload.GATEWAY), async () => undefined)),
  };
  const actors = {
    nobody,
    administrator,
    owner,
    ...persons,
    key: await keyActor("key", robot, keyScopes),
    "key without a role": await keyActor("key without a role", await enroll(owner, workspaceId, "Idle"), keyScopes),
  };

  const { folder: granted } = await owner.clients.folders.createFolder({
    parent: { case: "workspaceId", value: workspaceId },
    name: "Granted",
  });
  const folderId = granted?.id ?? "";
  for (const [name, level] of Object.entries(grantOf) as [keyof typeof actors, GrantLevel][]) {
    await owner.clients.grants.setGrant({
      resource: { case: "folderId", value: folderId },
      principal: { principal: { case: "personId", value: actors[name].id } },
      level,
    });
  }
  const { folder: inner } = await owner.clients.folders.createFolder({
    parent: { case: "folderId", value: folderId },
    name: "Inner",
  });
  const { document } = await owner.clients.documents.createDocument({
    parent: { case: "folderId", value: folderId },
    uploadId: await storeUpload(owner, workspaceId),
    title: "Breakwater",
    tags: ["harbour"],
  });
  const group = (name: string) => owner.clients.groups.createGroup({ workspaceId, name });
  const { role } = await owner.clients.roles.createRole({
    workspaceId,
    name: "Spare",
    permissions: [Permission.WORKSPACE_VIEW],
  });

  const running = parts.move();
  return {
    mesh,
    callers,
    ledger,
    actors,
    subject(name, { method }) {
      if (name !== "key without the scope") return actors[name];
      return lacking.get(keyScopeOf(method) ?? Permission.DOCUMENT_VIEW) ?? actors.key;
    },
    extras,
    person,
    workspaceId,
    contractorRoleId,
    folderId,
    innerFolderId: inner?.id ?? "",
    documentId: document?.id ?? "",
    versionId: document?.version?.id ?? "",
    applicationId: await enroll(owner, workspaceId, "Spare"),
    groupId: (await group("Crew")).group?.id ?? "",
    roleGroupId: (await group("Holders")).group?.id ?? "",
    roleId: role?.id ?? "",
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Makes somebody a member of a workspace. */
export async function join(owner: Actor, actor: Actor, workspaceId: string, roleId: string): Promise<void> {
  const invited = roleId === roleIds.owner ? roleIds.admin : roleId;
  const { secret } = await owner.clients.workspaces.createInvitation({ workspaceId, roleId: invited });
  await actor.clients.workspaces.acceptInvitation({ secret });
  if (invited !== roleId) await owner.clients.workspaces.updateMember({ workspaceId, userId: actor.id, roleId });
}

/** Enrolls an application and returns its id. */
export async function enroll(owner: Actor, workspaceId: string, name: string): Promise<string> {
  const { application } = await owner.clients.keys.enrollApplication({ workspaceId, name });
  return application?.id ?? "";
}

async function signUp(callers: Callers, name: SubjectName): Promise<Actor> {
  const account = {
    email: `${name.replaceAll(" ", "-")}-${next()}@example.com`,
    password: `long enough for ${name} ${next()}`,
    displayName: `A ${name}`,
  };
  const clients = clientsOf(transportAs(callers.of(Workload.GATEWAY), async () => undefined));
  const { sessionSecret, user } = await clients.sessions.signUp(account);
  return actorOf(callers, {
    ...{ name, kind: "person", id: user?.id ?? "", secret: sessionSecret, scopes: [] },
    ...{ email: account.email, password: account.password },
  });
}

async function createKey(
  callers: Callers,
  owner: Actor,
  options: { name: SubjectName; workspaceId: string; applicationId: string; scopes: readonly Permission[] },
): Promise<Actor> {
  const { name, workspaceId, applicationId, scopes } = options;
  const { secret } = await owner.clients.keys.createApiKey({ workspaceId, applicationId, name, scopes: [...scopes] });
  return actorOf(callers, { name, kind: "key", id: applicationId, secret, scopes, email: "", password: "" });
}

/** How long a token is used again, in milliseconds; it lives for five minutes. */
const tokenMs = 200_000;

function actorOf(callers: Callers, actor: Omit<Actor, "token" | "clients">): Actor {
  const tokens = callers.of(Workload.GATEWAY).client(TokenService);
  let kept: { token: string; until: number } | undefined;
  const token = async () => {
    if (kept !== undefined && Date.now() < kept.until) return kept.token;
    const answer =
      actor.kind === "key"
        ? await tokens.exchangeKey({ keySecret: actor.secret })
        : await tokens.exchangeSession({ sessionSecret: actor.secret });
    kept = { token: answer.token, until: Date.now() + tokenMs };
    return answer.token;
  };
  const clients: Clients = clientsOf(transportAs(callers.of(Workload.GATEWAY), token));
  return { ...actor, token, clients };
}
