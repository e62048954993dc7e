// A user service over real gRPC and mTLS with a database of its own, as the gateway and the other services see it.

import type { DescService } from "@bufbuild/protobuf";
import { type Client, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { ReasonSchema } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { ApiKeyService } from "@docket/contracts/gen/docket/user/v1/api_key_service_pb.ts";
import { GroupService } from "@docket/contracts/gen/docket/user/v1/group_service_pb.ts";
import { MembershipService } from "@docket/contracts/gen/docket/user/v1/membership_service_pb.ts";
import { NotificationService } from "@docket/contracts/gen/docket/user/v1/notification_service_pb.ts";
import { RoleService } from "@docket/contracts/gen/docket/user/v1/role_service_pb.ts";
import { SessionService } from "@docket/contracts/gen/docket/user/v1/session_service_pb.ts";
import { TokenService } from "@docket/contracts/gen/docket/user/v1/token_service_pb.ts";
import { UserChangeService } from "@docket/contracts/gen/docket/user/v1/user_change_service_pb.ts";
import { UserService } from "@docket/contracts/gen/docket/user/v1/user_service_pb.ts";
import { WorkspaceService } from "@docket/contracts/gen/docket/user/v1/workspace_service_pb.ts";
import { enumName } from "@docket/contracts/policy";
import { reasonOf } from "@docket/runtime/errors";
import type { CallRecord } from "@docket/runtime/interceptors/options";
import { createLogger } from "@docket/runtime/logger";
import { connectMesh, type Mesh } from "@docket/runtime/mesh";
import type { RunningService } from "@docket/runtime/service";
import { testIdentity } from "@docket/runtime/testing/identities";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { testParts } from "@docket/runtime/testing/test_parts";
import { readConfig } from "../config.ts";
import type { Mail } from "../mail/mailer.ts";
import { startUserService, type UserOverrides } from "../service.ts";

/** What everybody in the tests uses; it is not among the common ones. */
export const password = "correct staple battery 7";

/** All services, with certain headers on each call. */
export interface Clients {
  readonly sessions: Client<typeof SessionService>;
  readonly users: Client<typeof UserService>;
  readonly workspaces: Client<typeof WorkspaceService>;
  readonly roles: Client<typeof RoleService>;
  readonly groups: Client<typeof GroupService>;
  readonly keys: Client<typeof ApiKeyService>;
}

/** Somebody signed in, or an application by its key. */
export interface Person extends Clients {
  readonly id: string;
  readonly email: string;
  /** The secret of the session or key. */
  readonly secret: string;
}

export interface World extends AsyncDisposable {
  readonly anonymous: Clients;
  readonly tokens: Client<typeof TokenService>;
  /** As the document service asks. */
  readonly memberships: Client<typeof MembershipService>;
  readonly notifications: Client<typeof NotificationService>;
  readonly changes: Client<typeof UserChangeService>;
  readonly mails: Mail[];
  readonly records: CallRecord[];
  readonly logLines: string[];
  readonly address: string;
  /** The settings as in an environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Lets mail fail from now on, or work again. */
  failMail(fail: boolean): void;
  /** Everybody's clock goes on by so much. */
  advance(ms: number): void;
  restart(): Promise<void>;
  /** Makes an account and signs in, from an address. */
  signUp(name: string, from?: string): Promise<Person>;
  person(grant: { sessionSecret: string; user?: { id: string; email: string } | undefined }): Person;
  signIn(email: string, from?: string, secret?: string): Promise<Person>;
  withKey(secret: string): Person;
  from(address: string): Clients;
}

let count = 0;

export async function startWorld(
  env: Record<string, string> = {},
  options: UserOverrides & { mail?: boolean } = {},
): Promise<World> {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(await temporaryFolder());
  const records: CallRecord[] = [];
  const mails: Mail[] = [];
  const logLines: string[] = [];
  let offset = 0;
  let mailFails = false;
  const mailer = {
    async send(sent: Mail) {
      if (mailFails) throw new Error("the mail server is away");
      mails.push(sent);
    },
  };
  const identity = await testIdentity(Workload.USER);
  const database = await testParts(folder.path);
  const environment = () => ({
    DOCKET_DATA_DIR: folder.path,
    USER_PORT: "0",
    PUBLIC_URL: "https://docket.test",
    ...database,
    ...env,
  });
  const start = () =>
    startUserService(readConfig(environment()), {
      identity,
      clock: () => new Date(Date.now() + offset),
      logger: createLogger({ level: "info", destination: { write: (line: string) => logLines.push(line) } }),
      observe: (record) => records.push(record),
      ...options,
      ...(options.mail && { mailer }),
    });
  let service: RunningService = await start();
  parts.defer(() => service[Symbol.asyncDispose]());
  const addresses: { user: string[] } = { user: [service.address] };
  const connect = async (workload: Workload) => connectMesh({ identity: await testIdentity(workload), addresses });
  let gateway: Mesh = await connect(Workload.GATEWAY);
  let document: Mesh = await connect(Workload.DOCUMENT);
  parts.defer(async () => {
    await gateway[Symbol.asyncDispose]();
    await document[Symbol.asyncDispose]();
  });

  const clients = (headers: () => Promise<Record<string, string>>): Clients => {
    const make = <Service extends DescService>(desc: Service): Client<Service> =>
      createClient(
        desc,
        withHeaders(() => gateway.transport(desc), headers),
      );
    return {
      sessions: make(SessionService),
      users: make(UserService),
      workspaces: make(WorkspaceService),
      roles: make(RoleService),
      groups: make(GroupService),
      keys: make(ApiKeyService),
    };
  };
  const own = <Service extends DescService>(desc: Service, mesh: () => Mesh): Client<Service> =>
    createClient(
      desc,
      withHeaders(
        () => mesh().transport(desc),
        async () => ({}),
      ),
    );
  const tokens = own(TokenService, () => gateway);
  const authorization = (token: string) => ({ authorization: `Bearer ${token}` });
  const from = (address: string) => clients(async () => ({ "x-docket-client": address }));
  const person: World["person"] = ({ sessionSecret, user }) => ({
    ...clients(async () => authorization((await tokens.exchangeSession({ sessionSecret })).token)),
    id: user?.id ?? "",
    email: user?.email ?? "",
    secret: sessionSecret,
  });

  const running = parts.move();
  return {
    anonymous: clients(async () => ({})),
    tokens,
    memberships: own(MembershipService, () => document),
    notifications: own(NotificationService, () => document),
    changes: own(UserChangeService, () => document),
    mails,
    records,
    logLines,
    get address() {
      return service.address;
    },
    get env() {
      return environment();
    },
    failMail(fail) {
      mailFails = fail;
    },
    advance(ms) {
      offset += ms;
    },
    async restart() {
      await gateway[Symbol.asyncDispose]();
      await document[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
      service = await start();
      addresses.user = [service.address];
      gateway = await connect(Workload.GATEWAY);
      document = await connect(Workload.DOCUMENT);
    },
    from,
    person,
    async signUp(name, address = "198.51.100.7") {
      count += 1;
      const email = `${name.toLowerCase().replaceAll(" ", ".")}.${count}@example.com`;
      return person(await from(address).sessions.signUp({ email, password, displayName: name }));
    },
    async signIn(email, address = "198.51.100.7", secret = password) {
      return person(await from(address).sessions.signIn({ email, password: secret }));
    },
    withKey: (secret) => ({
      ...clients(async () => authorization((await tokens.exchangeKey({ keySecret: secret })).token)),
      id: "",
      email: "",
      secret,
    }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The transport is asked for at each call, so that clients outlive a restart. */
function withHeaders(transport: () => Transport, headers: () => Promise<Record<string, string>>): Transport {
  const merged = async (given: ConstructorParameters<typeof Headers>[0]) => {
    const all = new Headers(given);
    for (const [name, value] of Object.entries(await headers())) all.set(name, value);
    return all;
  };
  return {
    unary: async (method, signal, timeoutMs, given, input, values) =>
      transport().unary(method, signal, timeoutMs, await merged(given), input, values),
    stream: async (method, signal, timeoutMs, given, input, values) =>
      transport().stream(method, signal, timeoutMs, await merged(given), input, values),
  };
}

/** The name of the reason that a call fails with; fails itself when the call does not. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error === undefined) throw new Error("the call should have been refused");
  const reason = reasonOf(ConnectError.from(error));
  return reason === undefined ? String(error) : enumName(ReasonSchema, reason);
}
