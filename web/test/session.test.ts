import type { ConnectRouter } from "@connectrpc/connect";
import { SessionService } from "@docket/contracts/gen/docket/user/v1/session_service_pb.ts";
import { WorkspaceService } from "@docket/contracts/gen/docket/user/v1/workspace_service_pb.ts";
import { describe, expect, it } from "vitest";
import { anna, openPortal } from "./portal.ts";

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
