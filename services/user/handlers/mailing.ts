/** Mail goes out after the commit of what it tells, by jobs: a crash loses none, and the answer does not wait for it. */
import type { JobHandlers } from "@docket/runtime/queue/worker";
import { hashSecret } from "../credentials/vault.ts";
import { invitationState } from "../domain/model.ts";
import type { Mailer } from "../mail/mailer.ts";
import { accountExistsMail, confirmMail, invitationMail, resetMail, taskReminderMail } from "../mail/texts.ts";
import { findAccount, findAccountByEmail } from "../store/account_store.ts";
import { deletePendingSignUp, findPendingSignUp, insertPasswordReset } from "../store/credential_store.ts";
import type { Tables } from "../store/entities.ts";
import { findInvitation } from "../store/invitation_store.ts";
import { findWorkspace, isMember } from "../store/workspace_store.ts";
import type { Deps } from "./deps.ts";

/** The kinds of jobs. */
export const jobs = {
  confirm: "mail.confirm",
  reset: "mail.reset",
  invitation: "mail.invitation",
  taskReminder: "mail.task_reminder",
} as const;

/** What the mail about a task that is due is made from. It is forgotten when the mail is sent. */
export interface TaskReminder {
  readonly userId: string;
  readonly workspaceId: string;
  /** Empty: it is not told. */
  readonly title: string;
  /** `2026-11-21`. */
  readonly dueDate: string;
  readonly overdue: boolean;
  readonly documentId?: string;
}

/** How long a link to a new password works, in milliseconds. */
export const resetLifeMs = 3_600_000;

/** The link of a secret. */
export function linkOf(publicUrl: string, kind: "invitations" | "reset-password" | "confirm", secret: string): string {
  return `${publicUrl}/${kind}/${secret}`;
}

/** What the jobs do. A mail may go out twice after a crash; its link is the same, since it follows from the id. */
export function mailJobs(deps: Deps, mailer: Mailer): JobHandlers<Tables> {
  const { db, clock, rules, vault } = deps;
  return {
    async [jobs.confirm]({ payload }) {
      const { id } = payload as { id: string };
      const pending = await findPendingSignUp(db.query, id);
      if (pending === undefined || pending.expiresAt <= clock()) return;
      if ((await findAccountByEmail(db.query, pending.email)) !== undefined) {
        await mailer.send(accountExistsMail(pending.email, { signInLink: `${rules.publicUrl()}/sign-in` }));
        await deletePendingSignUp(db.query, id);
        return;
      }
      const link = linkOf(rules.publicUrl(), "confirm", vault.linkSecret("confirm", id));
      await mailer.send(confirmMail(pending.email, { link, expiresAt: pending.expiresAt }));
    },

    async [jobs.reset]({ payload }) {
      const { id, email } = payload as { id: string; email: string };
      const account = await findAccountByEmail(db.query, email);
      if (account === undefined || account.disabledAt !== undefined) return;
      const secret = vault.linkSecret("reset", id);
      const createdAt = clock();
      const expiresAt = new Date(createdAt.getTime() + resetLifeMs);
      const reset = { id, userId: account.id, secretHash: hashSecret(secret), createdAt, expiresAt };
      await db.transaction((tx) => insertPasswordReset(tx, reset));
      await mailer.send(resetMail(email, { link: linkOf(rules.publicUrl(), "reset-password", secret), expiresAt }));
    },

    async [jobs.invitation]({ payload }) {
      const { workspaceId, id } = payload as { workspaceId: string; id: string };
      const invitation = await findInvitation(db.query, workspaceId, id);
      if (invitation === undefined || invitationState(invitation, clock()) !== "pending") return;
      const workspace = await findWorkspace(db.query, workspaceId);
      const inviter = await findAccount(db.query, invitation.createdBy);
      await mailer.send(
        invitationMail(invitation.email, {
          workspace: workspace?.name ?? "",
          inviter: inviter?.displayName ?? "",
          link: linkOf(rules.publicUrl(), "invitations", vault.linkSecret("invitation", id)),
          expiresAt: invitation.expiresAt,
        }),
      );
    },

    async [jobs.taskReminder]({ payload }) {
      const { userId, workspaceId, documentId, ...about } = payload as TaskReminder;
      const account = await findAccount(db.query, userId);
      if (account === undefined || account.disabledAt !== undefined) return;
      const workspace = await findWorkspace(db.query, workspaceId);
      if (workspace === undefined || !(await isMember(db.query, workspaceId, userId))) return;
      const page = documentId === undefined ? "tasks" : `d/${documentId}`;
      const link = `${rules.publicUrl()}/${page}`;
      await mailer.send(taskReminderMail(account.email, { ...about, workspace: workspace.name, link }));
    },
  };
}
