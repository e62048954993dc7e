import type { Logger } from "@docket/runtime/logger";

/** What happens here that operators count and read of. Ids only: no names, addresses or secrets. */
export interface Events {
  signedUp(userId: string): void;
  signedIn(userId: string): void;
  signInRefused(why: "credentials" | "slowed" | "disabled"): void;
  sessionEnded(userId: string, sessions: number): void;
  passwordChanged(userId: string): void;
  accountDisabled(userId: string, by: string): void;
  accountEnabled(userId: string, by: string): void;
  administratorSet(userId: string, administrator: boolean, by: string): void;
  workspaceCreated(workspaceId: string, by: string): void;
  workspaceDeleted(workspaceId: string, by: string): void;
  memberAdded(workspaceId: string, userId: string): void;
  memberRemoved(workspaceId: string, userId: string, by: string): void;
  roleGiven(workspaceId: string, holderId: string, roleId: string, by: string): void;
  keyCreated(workspaceId: string, keyId: string, by: string): void;
  keyRevoked(workspaceId: string, keyId: string, by: string): void;
}

/** Events as log lines. */
export function createEvents(logger: Logger): Events {
  const say = (event: string, fields: Record<string, unknown>) => logger.info({ event, ...fields }, event);
  return {
    signedUp: (user_id) => say("signed up", { user_id }),
    signedIn: (user_id) => say("signed in", { user_id }),
    signInRefused: (why) => say("sign-in refused", { why }),
    sessionEnded: (user_id, sessions) => say("sessions ended", { user_id, sessions }),
    passwordChanged: (user_id) => say("password changed", { user_id }),
    accountDisabled: (user_id, by) => say("account disabled", { user_id, by }),
    accountEnabled: (user_id, by) => say("account enabled", { user_id, by }),
    administratorSet: (user_id, administrator, by) => say("administrator set", { user_id, administrator, by }),
    workspaceCreated: (workspace_id, by) => say("workspace created", { workspace_id, by }),
    workspaceDeleted: (workspace_id, by) => say("workspace deleted", { workspace_id, by }),
    memberAdded: (workspace_id, user_id) => say("member added", { workspace_id, user_id }),
    memberRemoved: (workspace_id, user_id, by) => say("member removed", { workspace_id, user_id, by }),
    roleGiven: (workspace_id, holder_id, role_id, by) => say("role given", { workspace_id, holder_id, role_id, by }),
    keyCreated: (workspace_id, key_id, by) => say("key created", { workspace_id, key_id, by }),
    keyRevoked: (workspace_id, key_id, by) => say("key revoked", { workspace_id, key_id, by }),
  };
}
