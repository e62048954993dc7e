import { create } from "@bufbuild/protobuf";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { SessionService } from "@docket/contracts/gen/docket/user/v1/session_service_pb.ts";
import { WorkspaceSchema } from "@docket/contracts/gen/docket/user/v1/workspace_pb.ts";
import { WorkspaceService } from "@docket/contracts/gen/docket/user/v1/workspace_service_pb.ts";
import { describe, expect, it } from "vitest";
import { anna, openPortal, refusal, requestsOf } from "./portal.ts";

const workspaceOf = (n: number) => create(WorkspaceSchema, { id: `workspace ${n}`, name: `Workspace ${n}` });

/** Anna's session, and 250 workspaces, a page at a time. */
function annaIsThere(router: ConnectRouter): void {
  router.service(SessionService, {
    signIn: () => ({}),
    signOut: () => ({}),
    getSession: () => ({ user: anna, session: { id: "session" } }),
  });
  router.service(WorkspaceService, {
    listWorkspaces({ pageToken, pageSize }) {
      const from = Number(pageToken || 0);
      const to = Math.min(250, from + pageSize);
      const workspaces = Array.from({ length: to - from }, (_, at) => workspaceOf(from + at));
      return { workspaces, nextPageToken: to < 250 ? String(to) : "" };
    },
  });
}

const nobodyIsThere = (reason: Reason) => (router: ConnectRouter) => {
  const refuse = () => {
    throw refusal(reason, { code: Code.Unauthenticated });
  };
  router.service(SessionService, { getSession: refuse });
  router.service(WorkspaceService, { listWorkspaces: refuse });
};

describe("the session", () => {
  it("is known with every workspace after signing in, however many pages they are", async () => {
    await using portal = await openPortal({ visitor: null, routes: annaIsThere });
    const session = await portal.run(() => useSession());
    expect(session.user.value).toBeUndefined();
    await session.signIn(anna.email, "correct horse battery");
    expect(session.user.value?.displayName).toBe(anna.displayName);
    expect(session.workspaces.value).toHaveLength(250);
    const [signIn] = requestsOf(portal.calls, SessionService.method.signIn);
    expect(signIn).toMatchObject({ email: anna.email, password: "correct horse battery" });
  });

  it("is asked for once, where it is not known", async () => {
    await using portal = await openPortal({ routes: annaIsThere });
    const session = await portal.run(() => useSession());
    await session.load();
    expect(portal.calls).toEqual([]);
    session.visitor.value = undefined;
    await session.load();
    await session.load();
    expect(requestsOf(portal.calls, SessionService.method.getSession)).toHaveLength(1);
  });

  it("is nobody's after signing out", async () => {
    await using portal = await openPortal({ routes: annaIsThere });
    const session = await portal.run(() => useSession());
    await session.signOut();
    expect(session.visitor.value).toBeNull();
    expect(session.workspaces.value).toEqual([]);
  });

  it.each([Reason.SESSION_REQUIRED, Reason.SESSION_INVALID])(
    "is nobody's when the edge says so (%s)",
    async (reason) => {
      await using portal = await openPortal({ routes: nobodyIsThere(reason) });
      const session = await portal.run(() => useSession());
      expect(await session.refresh()).toBeNull();
      expect(session.visitor.value).toBeNull();
    },
  );

  it("stays as it was when the edge cannot say", async () => {
    await using portal = await openPortal({ routes: nobodyIsThere(Reason.UNAVAILABLE) });
    const session = await portal.run(() => useSession());
    await expect(session.refresh()).rejects.toThrow();
    expect(session.user.value?.id).toBe(anna.id);
  });
});

const ben = { id: "01900000-0000-7000-8000-0000000000be", displayName: "Ben" } as const;

describe("a page that another account comes to", () => {
  it("knows that what it remembers is somebody else's", async () => {
    let user: { readonly id: string } = anna;
    const routes = (router: ConnectRouter) => {
      router.service(SessionService, {
        signIn: () => ({}),
        signOut: () => ({}),
        getSession: () => ({ user, session: {} }),
      });
      router.service(WorkspaceService, { listWorkspaces: () => ({}) });
    };
    await using portal = await openPortal({ routes, visitor: null });
    const { signIn, signOut, foreign } = await portal.run(() => useSession());
    await signIn("anna@example.com", "harbour lights");
    expect(foreign.value).toBe(false);
    await signOut();
    await signIn("anna@example.com", "harbour lights");
    expect(foreign.value).toBe(false);
    await signOut();
    user = ben;
    await signIn("ben@example.com", "crane and quay");
    expect(foreign.value).toBe(true);
  });
});

describe("the name of a session", () => {
  it.each([
    [
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36 Edg/156.0",
      "Edge, Windows",
    ],
    [
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/26.0 Safari/605.1.15",
      "Safari, macOS",
    ],
    ["Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0", "Firefox, Linux"],
    ["Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/156.0 Mobile Safari/537.36", "Chrome, Android"],
    ["curl/8", ""],
  ])("is read from %s", (userAgent, name) => {
    const described = Object.getOwnPropertyDescriptor(navigator, "userAgent");
    Object.defineProperty(navigator, "userAgent", { configurable: true, value: userAgent });
    try {
      expect(clientName()).toBe(name);
    } finally {
      if (described) Object.defineProperty(navigator, "userAgent", described);
      else Reflect.deleteProperty(navigator, "userAgent");
    }
  });
});
