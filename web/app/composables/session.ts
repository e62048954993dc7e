// Who is signed in, and in which workspaces. Asked once for each page that the server renders, and once by the browser.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Session } from "@docket/contracts/gen/docket/user/v1/session_pb.ts";
import { SessionService } from "@docket/contracts/gen/docket/user/v1/session_service_pb.ts";
import type { User } from "@docket/contracts/gen/docket/user/v1/user_pb.ts";
import type { Workspace } from "@docket/contracts/gen/docket/user/v1/workspace_pb.ts";
import { WorkspaceService } from "@docket/contracts/gen/docket/user/v1/workspace_service_pb.ts";

export interface Visitor {
  readonly user: User;
  readonly session: Session;
  readonly workspaces: readonly Workspace[];
}

/** How many workspaces are asked for at once. */
const pageSize = 200;

export function useSession() {
  const sessions = useClient(SessionService);
  const workspaces = useClient(WorkspaceService);
  /** Undefined: not asked yet. Null: nobody. */
  const visitor = useState<Visitor | null | undefined>("visitor", () => undefined);
  /** Whose data this page has in its memory; it stays there when they leave. Empty: nobody's yet. */
  const owner = useState("page-owner", () => "");

  async function allWorkspaces(): Promise<Workspace[]> {
    const found: Workspace[] = [];
    for (let pageToken = ""; ; ) {
      const page = await workspaces.listWorkspaces({ pageSize, pageToken });
      found.push(...page.workspaces);
      pageToken = page.nextPageToken;
      if (pageToken === "") return found;
    }
  }

  /** Asks anew who is there. */
  async function refresh(): Promise<Visitor | null> {
    try {
      const [{ user, session }, list] = await Promise.all([sessions.getSession({}), allWorkspaces()]);
      visitor.value = user && session ? { user, session, workspaces: list } : null;
      if (user && owner.value === "") owner.value = user.id;
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== Reason.SESSION_REQUIRED && reason !== Reason.SESSION_INVALID) throw error;
      visitor.value = null;
    }
    return visitor.value;
  }

  return {
    visitor,
    user: computed(() => visitor.value?.user),
    workspaces: computed(() => visitor.value?.workspaces ?? []),
    /** Whether the page's memory is somebody else's than the visitor's. */
    foreign: computed(() => owner.value !== "" && visitor.value != null && owner.value !== visitor.value.user.id),
    refresh,
    /** Who is there, asked only where that isn't known. */
    load: async () => (visitor.value === undefined ? await refresh() : visitor.value),
    async signIn(email: string, password: string) {
      await sessions.signIn({ email, password, clientName: clientName() });
      return await refresh();
    },
    async signOut() {
      await sessions.signOut({});
      visitor.value = null;
    },
  };
}

/** What the list of sessions calls this one: the browser and system, as far as they say. */
export function clientName(): string {
  const { userAgent } = navigator;
  // The others call themselves Chrome and Linux as well.
  const browser =
    /\b(Edg|OPR)(A|iOS)?\//.exec(userAgent)?.[1] ?? /(Firefox|Chrome|Safari)\//.exec(userAgent)?.[1] ?? "";
  const system =
    /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(userAgent.replace(/Linux(?=.*Android)/, ""))?.[1] ?? "";
  const names: Record<string, string> = { Edg: "Edge", OPR: "Opera", "Mac OS X": "macOS" };
  const named = (name: string) => names[name] ?? name;
  return [named(browser), named(system)].filter((name) => name !== "").join(", ");
}
