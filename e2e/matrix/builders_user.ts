// Valid requests of the user service: accounts, sessions and what the mesh alone may ask.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { Permission, ResourceKind } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { newId } from "@docket/runtime/ids";
import type { BuildersOf } from "./form.ts";
import type { Room } from "./room.ts";
import { next } from "./world.ts";

const address = () => `somebody-${next()}@example.com`;
/** The secret at the end of a link. */
const secretOf = (link: string) => link.split("/").at(-1) ?? "";
/** Somebody like the subject whose session may end; keys and nobody have none, and stay themselves. */
const standIn = async (room: Room) => (room.subject.kind === "person" ? await room.person() : undefined);

export const sessionBuilders = {
  "docket.user.v1.SessionService/GetSignInOptions": () => ({ request: {} }),
  "docket.user.v1.SessionService/SignUp": () => ({
    request: { email: address(), password: "a longer password", displayName: "Somebody" },
  }),
  // Links come by mail, which this world has none of.
  "docket.user.v1.SessionService/ConfirmSignUp": () => ({
    request: { secret: "unknown", password: "a longer password" },
    otherwise: [Reason.LINK_INVALID],
  }),
  "docket.user.v1.SessionService/SignIn": ({ world }) => ({
    request: { email: world.extras.clerk.email, password: world.extras.clerk.password },
  }),
  "docket.user.v1.SessionService/SignOut": async (room) => ({ request: {}, ...as(await standIn(room)) }),
  "docket.user.v1.SessionService/GetSession": () => ({ request: {} }),
  "docket.user.v1.SessionService/ListSessions": () => ({ request: {} }),
  "docket.user.v1.SessionService/RevokeSession": {
    "one's own": async (room) => {
      const { email, password, clients } = room.subject.kind === "person" ? room.subject : room.owner;
      const { session } = await clients.sessions.signIn({ email, password });
      return {
        request: { sessionId: session?.id ?? "" },
        relation: room.subject.kind === "person" ? "own" : "foreign",
      };
    },
    "another's": async ({ world }) => {
      const { email, password, clients } = world.extras.clerk;
      const { session } = await clients.sessions.signIn({ email, password });
      return { request: { sessionId: session?.id ?? "" }, relation: "foreign" };
    },
  },
  "docket.user.v1.SessionService/RequestPasswordReset": () => ({ request: { email: address() } }),
  "docket.user.v1.SessionService/ResetPassword": async (room) => {
    const { id } = await room.world.person("stranger");
    const { link } = await room.world.actors.administrator.clients.users.createPasswordReset({ userId: id });
    return { request: { secret: secretOf(link), newPassword: "another long password" } };
  },
} satisfies BuildersOf<"docket.user.v1.SessionService">;

export const userBuilders = {
  "docket.user.v1.UserService/GetUser": {
    "one's own": (room) => ({ request: { userId: ownId(room) }, relation: "own" }),
    "a colleague's": ({ world }) => ({ request: { userId: world.extras.colleague.id }, relation: "colleague" }),
    "a stranger's": async (room) => ({ request: { userId: (await room.person()).id }, relation: "foreign" }),
  },
  "docket.user.v1.UserService/ListUsers": (room) => ({
    request: { workspaceId: room.workspaceId, pageSize: 200 },
    shows: {
      id: room.world.extras.colleague.id,
      to: { kind: ResourceKind.USER, permission: Permission.USER_VIEW, relation: "colleague" },
    },
  }),
  "docket.user.v1.UserService/UpdateUser": {
    "one's own": (room) => ({
      request: { userId: ownId(room), profile: { locale: "de-CH" }, updateMask: { paths: ["locale"] } },
      relation: "own",
    }),
    "a colleague's": ({ world }) => ({
      request: { userId: world.extras.colleague.id, profile: { locale: "de-CH" }, updateMask: { paths: ["locale"] } },
      relation: "colleague",
    }),
  },
  "docket.user.v1.UserService/ChangePassword": {
    "one's own": async (room) => {
      const stand = await standIn(room);
      const { id, password } = stand ?? room.owner;
      return {
        request: { userId: id, currentPassword: password, newPassword: `another ${password}` },
        relation: "own",
        ...as(stand),
      };
    },
    "a colleague's": ({ world }) => ({
      request: {
        userId: world.extras.colleague.id,
        currentPassword: world.extras.colleague.password,
        newPassword: "another long password",
      },
      relation: "colleague",
    }),
  },
  "docket.user.v1.UserService/DisableUser": async (room) => ({
    request: { userId: (await room.person()).id },
    relation: "foreign",
  }),
  "docket.user.v1.UserService/EnableUser": async (room) => ({
    request: { userId: (await room.person()).id },
    relation: "foreign",
  }),
  "docket.user.v1.UserService/SetAdministrator": {
    "a stranger": async (room) => ({
      request: { userId: (await room.person()).id, administrator: true },
      relation: "foreign",
    }),
    "a colleague": ({ world }) => ({
      request: { userId: world.extras.colleague.id, administrator: false },
      relation: "colleague",
    }),
  },
  "docket.user.v1.UserService/CreatePasswordReset": async (room) => ({
    request: { userId: (await room.person()).id },
    relation: "foreign",
  }),
} satisfies BuildersOf<"docket.user.v1.UserService">;

export const meshBuilders = {
  "docket.user.v1.MembershipService/GetMembership": (room) => ({ request: aboutColleague(room) }),
  "docket.user.v1.MembershipService/ExplainMembership": (room) => ({ request: aboutColleague(room) }),
  "docket.user.v1.MembershipService/ResolvePrincipals": (room) => ({
    request: { workspaceId: room.workspaceId, principals: [room.personPrincipal(room.world.extras.colleague.id)] },
  }),
  "docket.user.v1.MembershipService/GetWorkspaceFacts": (room) => ({ request: { workspaceId: room.workspaceId } }),
  "docket.user.v1.NotificationService/SendTaskReminder": (room) => ({
    request: {
      requestId: newId(),
      workspaceId: room.workspaceId,
      assignee: room.personPrincipal(room.world.extras.colleague.id),
      dueDate: "2026-11-21",
    },
  }),
  "docket.user.v1.TokenService/ExchangeSession": ({ world }) => ({
    request: { sessionSecret: world.extras.colleague.secret },
  }),
  "docket.user.v1.TokenService/ExchangeKey": ({ world }) => ({ request: { keySecret: world.actors.key.secret } }),
  "docket.user.v1.TokenService/ListPublicKeys": () => ({ request: {} }),
  "docket.user.v1.UserChangeService/WatchUserChanges": () => ({ request: {} }),
} satisfies BuildersOf<
  | "docket.user.v1.MembershipService"
  | "docket.user.v1.NotificationService"
  | "docket.user.v1.TokenService"
  | "docket.user.v1.UserChangeService"
>;

const aboutColleague = (room: Room) => ({
  subject: room.personPrincipal(room.world.extras.colleague.id),
  workspaceId: room.workspaceId,
});

/** The subject's account; the owner's where it has none. */
function ownId(room: Room): string {
  return room.subject.kind === "person" ? room.subject.id : room.owner.id;
}

function as<T>(stand: T | undefined): { as: T } | Record<never, never> {
  return stand === undefined ? {} : { as: stand };
}
