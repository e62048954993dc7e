import { ResourceKind } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { type Authorizer, allowed, type Decision, denied, hidden } from "@docket/runtime/access";
import { decideAccount, decideSession, decideWorkspace, type Verdict } from "../domain/access.ts";
import { findAccount, shareWorkspace } from "../store/account_store.ts";
import type { UserDatabase } from "../store/database.ts";
import { findSession } from "../store/session_store.ts";
import { standingOf } from "../store/standing_store.ts";
import { holderOfSubject } from "./writing.ts";

const decisions: Readonly<Record<Verdict, Decision>> = { allowed, denied, hidden };

/** Finds what domain/access.ts needs to know, and asks it. */
export function createAuthorizer(db: UserDatabase): Authorizer {
  return {
    async check(subject, { kind, id, permission }) {
      if (kind === ResourceKind.WORKSPACE) {
        // A key is nothing in any workspace but its own.
        if (subject.workspaceId !== undefined && subject.workspaceId !== id) return hidden;
        return decisions[decideWorkspace(await standingOf(db.query, id, holderOfSubject(subject)), permission)];
      }
      if (subject.kind !== "person") return hidden;
      if (kind === ResourceKind.USER) {
        const own = subject.id === id;
        const [caller, account] = await Promise.all([findAccount(db.query, subject.id), findAccount(db.query, id)]);
        return decisions[
          decideAccount(
            {
              exists: account !== undefined,
              own,
              sharesWorkspace: !own && (await shareWorkspace(db.query, subject.id, id)),
              administrator: caller?.administrator ?? false,
            },
            permission,
          )
        ];
      }
      if (kind === ResourceKind.SESSION) {
        return decisions[decideSession((await findSession(db.query, id))?.userId, subject.id, permission)];
      }
      return hidden;
    },
  };
}
