// A person at the edge, as the journeys play them: signed up, with a typed client of every service over gRPC, and HTTP
// for files. It knows nothing of the mesh behind the edge.

import { type Client, Code, ConnectError, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { ArchiveService } from "@docket/contracts/gen/docket/document/v1/archive_service_pb.ts";
import { ChangeService } from "@docket/contracts/gen/docket/document/v1/change_service_pb.ts";
import { CommentService } from "@docket/contracts/gen/docket/document/v1/comment_service_pb.ts";
import { DocumentService } from "@docket/contracts/gen/docket/document/v1/document_service_pb.ts";
import { FolderService } from "@docket/contracts/gen/docket/document/v1/folder_service_pb.ts";
import { GrantService } from "@docket/contracts/gen/docket/document/v1/grant_service_pb.ts";
import { OperationService } from "@docket/contracts/gen/docket/document/v1/operation_service_pb.ts";
import { TaskService } from "@docket/contracts/gen/docket/document/v1/task_service_pb.ts";
import { VersionService } from "@docket/contracts/gen/docket/document/v1/version_service_pb.ts";
import { WebhookService } from "@docket/contracts/gen/docket/integration/v1/webhook_service_pb.ts";
import { TransferService } from "@docket/contracts/gen/docket/storage/v1/transfer_service_pb.ts";
import { UploadService } from "@docket/contracts/gen/docket/storage/v1/upload_service_pb.ts";
import { ApiKeyService } from "@docket/contracts/gen/docket/user/v1/api_key_service_pb.ts";
import { GroupService } from "@docket/contracts/gen/docket/user/v1/group_service_pb.ts";
import { RoleService } from "@docket/contracts/gen/docket/user/v1/role_service_pb.ts";
import { SessionService } from "@docket/contracts/gen/docket/user/v1/session_service_pb.ts";
import { UserService } from "@docket/contracts/gen/docket/user/v1/user_service_pb.ts";
import { WorkspaceService } from "@docket/contracts/gen/docket/user/v1/workspace_service_pb.ts";

const services = {
  archives: ArchiveService,
  changes: ChangeService,
  comments: CommentService,
  documents: DocumentService,
  folders: FolderService,
  grants: GrantService,
  operations: OperationService,
  tasks: TaskService,
  versions: VersionService,
  transfers: TransferService,
  uploads: UploadService,
  keys: ApiKeyService,
  groups: GroupService,
  roles: RoleService,
  sessions: SessionService,
  users: UserService,
  webhooks: WebhookService,
  workspaces: WorkspaceService,
};

/** A typed client of every published service. */
export type Clients = { [Name in keyof typeof services]: Client<(typeof services)[Name]> };

/** Somebody at the edge. */
export interface Person extends Clients {
  readonly id: string;
  readonly email: string;
  readonly password: string;
  /** Where the edge is. */
  readonly url: string;
  /** The session's secret, as `authorization: Bearer` takes it. */
  readonly secret: string;
  /** What every request of theirs carries: the session, and whatever else was asked for. */
  readonly headers: Readonly<Record<string, string>>;
  /** `fetch` against the edge, signed in. */
  http(path: string, init?: RequestInit): Promise<Response>;
}

/** How to speak to the edge. */
export type Protocol = "grpc" | "grpc-web" | "connect" | "connect-json";

/** A transport to the edge; `secret` is a session or an API key, and `headers` go along with each request. */
export function edgeTransport(
  url: string,
  secret?: string,
  protocol: Protocol = "grpc",
  headers: Readonly<Record<string, string>> = {},
): Transport {
  const signIn: Interceptor = (next) => (request) => {
    if (secret !== undefined) request.header.set("authorization", `Bearer ${secret}`);
    for (const [name, value] of Object.entries(headers)) request.header.set(name, value);
    return next(request);
  };
  const options = { baseUrl: url, interceptors: [signIn] };
  if (protocol === "grpc") return createGrpcTransport(options);
  if (protocol === "grpc-web") return createGrpcWebTransport({ ...options, httpVersion: "1.1" });
  return createConnectTransport({ ...options, httpVersion: "1.1", useBinaryFormat: protocol === "connect" });
}

/** Typed clients over a transport. */
export function clientsOf(transport: Transport): Clients {
  return Object.fromEntries(
    Object.entries(services).map(([name, service]) => [name, createClient(service, transport)]),
  ) as Clients;
}

let counter = 0;

/** Signs up somebody new. */
export async function signUp(
  url: string,
  name: string,
  options: { invitationSecret?: string; protocol?: Protocol } = {},
): Promise<Person> {
  counter += 1;
  const email = `${name.toLowerCase()}-${process.pid}-${Date.now()}-${counter}@example.com`;
  const password = `correct horse ${name} battery`;
  const { invitationSecret, protocol } = options;
  const answer = await clientsOf(edgeTransport(url, undefined, protocol)).sessions.signUp({
    email,
    password,
    displayName: name,
    ...(invitationSecret === undefined ? {} : { invitationSecret }),
  });
  return await personOf(url, { email, password, secret: answer.sessionSecret }, protocol);
}

/** Signing up or in, which one address may not do too often: then it waits its turn. */
export async function inTurn<Result>(run: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if (ConnectError.from(error).code !== Code.ResourceExhausted) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

/** Somebody who has an account, signed in anew; `headers` go along with each of their requests. */
export async function signIn(
  url: string,
  { email, password }: Pick<Person, "email" | "password">,
  headers: Readonly<Record<string, string>> = {},
): Promise<Person> {
  const edge = clientsOf(edgeTransport(url, undefined, undefined, headers));
  const { sessionSecret } = await edge.sessions.signIn({ email, password });
  return await personOf(url, { email, password, secret: sessionSecret }, undefined, headers);
}

async function personOf(
  url: string,
  account: Pick<Person, "email" | "password" | "secret">,
  protocol?: Protocol,
  more: Readonly<Record<string, string>> = {},
): Promise<Person> {
  const clients = clientsOf(edgeTransport(url, account.secret, protocol, more));
  const carried = { ...more, authorization: `Bearer ${account.secret}` };
  const { session } = await clients.sessions.getSession({});
  return {
    ...clients,
    ...account,
    url,
    headers: carried,
    id: session?.userId ?? "",
    http: (path, init = {}) => {
      const headers = new Headers(init.headers);
      for (const [name, value] of Object.entries(carried)) headers.set(name, value);
      return fetch(new URL(path, url), { ...init, headers });
    },
  };
}
