// A document service for tests: real gRPC and a real database; user and storage are played by fakes.
import { generateKeyPairSync } from "node:crypto";
import type { DescService } from "@bufbuild/protobuf";
import type { CallOptions, Client } from "@connectrpc/connect";
import { ConnectError } from "@connectrpc/connect";
import { DocumentService } from "@docket/contracts/gen/docket/document/v1/document_service_pb.ts";
import { FolderService } from "@docket/contracts/gen/docket/document/v1/folder_service_pb.ts";
import { GrantService } from "@docket/contracts/gen/docket/document/v1/grant_service_pb.ts";
import { VersionService } from "@docket/contracts/gen/docket/document/v1/version_service_pb.ts";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { type Reason, ReasonSchema } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { type Permission, Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { enumName } from "@docket/contracts/policy";
import { headerNames } from "@docket/runtime/call";
import type { Clock } from "@docket/runtime/clock";
import { newId } from "@docket/runtime/ids";
import { connectMesh } from "@docket/runtime/mesh";
import { testIdentities } from "@docket/runtime/testing/identities";
import { type CapturedLog, captureLog } from "@docket/runtime/testing/log";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { testParts } from "@docket/runtime/testing/test_parts";
import { signToken } from "@docket/runtime/token";
import { readConfig } from "../config.ts";
import { type DocumentOverrides, type RunningDocument, startDocumentService } from "../service.ts";
import { FakeBlobs } from "./fake_blobs.ts";
import { FakeUsers, type roles } from "./fake_users.ts";

const keys = generateKeyPairSync("ed25519");
const publicKey = { id: "test-key", x: String(keys.publicKey.export({ format: "jwk" }).x) };

/** Somebody who is signed in. */
export interface Somebody {
  readonly id: string;
  /** The options of a call made by them. */
  readonly as: CallOptions;
}

/** A service that runs, and everything around it. */
export interface World extends AsyncDisposable {
  readonly users: FakeUsers;
  readonly blobs: FakeBlobs;
  readonly log: CapturedLog;
  readonly service: RunningDocument;
  readonly workspaceId: string;
  readonly folders: Client<typeof FolderService>;
  readonly documents: Client<typeof DocumentService>;
  readonly versions: Client<typeof VersionService>;
  readonly grants: Client<typeof GrantService>;
  /** A client of any service of this one. */
  client<Service extends DescService>(service: Service): Client<Service>;
  /** A new person, who joins the world's workspace with a role; without one they are a stranger. */
  person(role?: keyof typeof roles | readonly Permission[]): Promise<Somebody>;
  /** A client application of the workspace with these scopes on its key. */
  application(role: keyof typeof roles, scopes: readonly Permission[]): Promise<Somebody>;
  /** A document of somebody, made of a new upload. */
  document(
    owner: Somebody,
    title: string,
    place?: { folderId?: string; tags?: string[]; content?: string },
  ): Promise<string>;
  folder(owner: Somebody, name: string, parentId?: string): Promise<string>;
}

/** Starts a world of its own. `folder` keeps the database over a restart. */
export async function startWorld(
  options: {
    readonly folder?: string;
    readonly users?: FakeUsers;
    readonly blobs?: FakeBlobs;
    readonly watching?: DocumentOverrides["watching"];
    readonly clock?: Clock;
    readonly role?: DocumentOverrides["role"];
  } = {},
): Promise<World> {
  await using parts = new AsyncDisposableStack();
  const [identity, gateway] = await testIdentities(Workload.DOCUMENT, Workload.GATEWAY);
  const folder = options.folder ?? parts.use(await temporaryFolder()).path;
  const users = options.users ?? new FakeUsers(publicKey);
  const blobs = options.blobs ?? new FakeBlobs();
  const log = captureLog();
  const service = parts.use(
    await startDocumentService(
      { ...readConfig({ DOCKET_DATA_DIR: folder, DOCUMENT_PORT: "0", ...(await testParts(folder)) }) },
      {
        identity,
        logger: log.logger,
        clients: { ...users.clients(), blobs: blobs.client() },
        ...(options.clock && { clock: options.clock }),
        ...(options.role && { role: options.role }),
        ...(options.watching && { watching: options.watching }),
      },
    ),
  );
  const mesh = parts.use(connectMesh({ identity: gateway, addresses: { document: [service.address] } }));
  const workspaceId = newId();
  const documents = mesh.client(DocumentService);
  const folders = mesh.client(FolderService);
  // A token of a later time than the service's would not be believed.
  const present = () => (options.clock?.() ?? new Date()).getTime();
  const running = parts.move();
  const world: World = {
    users,
    blobs,
    log,
    service,
    workspaceId,
    documents,
    folders,
    versions: mesh.client(VersionService),
    grants: mesh.client(GrantService),
    client: (of) => mesh.client(of),
    async person(role) {
      const somebody = await signIn(newId(), present());
      if (role !== undefined) users.join(somebody, workspaceId, role);
      return somebody;
    },
    async application(role, scopes) {
      const id = newId();
      users.join({ id }, workspaceId, role);
      const expiresAt = present() + 300_000;
      const content = { kind: "application" as const, id, keyId: newId(), workspaceId, scopes, expiresAt };
      return { id, as: asBearer(await signToken(content, { key: keys.privateKey, keyId: publicKey.id }, present())) };
    },
    async document(owner, title, { folderId, tags = [], content } = {}) {
      const uploadId = blobs.upload(owner, workspaceId, `${title}.pdf`, content ?? `bytes of ${title} ${newId()}`);
      const parent = folderId === undefined ? at(workspaceId) : within(folderId);
      const { document } = await documents.createDocument({ parent, uploadId, title, tags }, owner.as);
      return document?.id ?? "";
    },
    async folder(owner, name, parentId) {
      const parent = parentId === undefined ? at(workspaceId) : within(parentId);
      const { folder: made } = await folders.createFolder({ parent, name }, owner.as);
      return made?.id ?? "";
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
  return world;
}

/** Somebody with a session. */
export async function signIn(id: string, now = Date.now()): Promise<Somebody> {
  const expiresAt = now + 300_000;
  const content = { kind: "person" as const, id, sessionId: newId(), expiresAt };
  return { id, as: asBearer(await signToken(content, { key: keys.privateKey, keyId: publicKey.id }, now)) };
}

function asBearer(token: string): CallOptions {
  return { headers: { [headerNames.authorization]: `Bearer ${token}` } };
}

/** The root of a workspace, as requests name a parent. */
export const at = (workspaceId: string) => ({ case: "workspaceId" as const, value: workspaceId });
/** A folder, as requests name a parent. */
export const within = (folderId: string) => ({ case: "folderId" as const, value: folderId });

/** A document, as requests name a place, a subject or a resource. */
export const on = (documentId: string) => ({ case: "documentId" as const, value: documentId });

/** The name of the reason that a call fails with; "OK" when it does not. */
export async function reasonOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "OK";
  } catch (error) {
    const info = ConnectError.from(error).findDetails(ErrorInfoSchema)[0];
    return info === undefined ? String(error) : enumName(ReasonSchema, info.reason as Reason);
  }
}

/** The metadata of the reason that a call fails with. */
export async function metadataOf(call: Promise<unknown>): Promise<Record<string, string>> {
  try {
    await call;
    return {};
  } catch (error) {
    return ConnectError.from(error).findDetails(ErrorInfoSchema)[0]?.metadata ?? {};
  }
}
