import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { UserState } from "@docket/contracts/gen/docket/user/v1/user_pb.ts";
import type { UserService } from "@docket/contracts/gen/docket/user/v1/user_service_pb.ts";
import { callOf, subjectOf } from "@docket/runtime/call";
import { openPage } from "@docket/runtime/db/page";
import { AppError, notFound } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import { hashSecret } from "../credentials/vault.ts";
import type { Account } from "../domain/model.ts";
import {
  type AccountChange,
  countAdministrators,
  findAccount,
  listAccounts,
  lockInstance,
  updateAccount,
} from "../store/account_store.ts";
import { liveApiKeysOwnedBy } from "../store/api_key_store.ts";
import { applicationWorkspacesOf } from "../store/application_store.ts";
import { deletePasswordResets, insertPasswordReset } from "../store/credential_store.ts";
import type { Db } from "../store/database.ts";
import { forgiveAttempt } from "../store/throttle_store.ts";
import { otherOwners, ownedWorkspaceIds, workspaceIdsOf } from "../store/workspace_store.ts";
import type { Deps } from "./deps.ts";
import { linkOf, resetLifeMs } from "./mailing.ts";
import { toUser } from "./messages.ts";
import { endSessionsOf } from "./sessions.ts";
import { refuseWeakPassword } from "./sign_up.ts";
import { slowingPassword, sourceHashOf, verifySlowly } from "./throttling.ts";
import { afterKeyOf, checkEtag, checkName, checkTimeZone, cutPage, type Write, writing } from "./writing.ts";

/** Accounts, and who administers them. */
export function userHandlers(deps: Deps): ServiceImpl<typeof UserService> {
  const { db, events } = deps;

  const isAdministrator = async (id: string) => (await findAccount(db.query, id))?.administrator ?? false;

  const changed = async ({ tx }: Write, id: string, change: AccountChange, asAdministrator: boolean) => {
    await updateAccount(tx, id, change);
    return { user: toUser(await existing(tx, id), { asAdministrator }) };
  };

  return {
    async getUser({ userId }, context) {
      const asAdministrator = await isAdministrator(subjectOf(context).id);
      return { user: toUser(await existing(db.query, userId), { asAdministrator }) };
    },

    async listUsers(request, context) {
      const { id } = subjectOf(context);
      const asAdministrator = await isAdministrator(id);
      const { workspaceId, state } = request;
      const page = openPage(request, ["users", id, asAdministrator, workspaceId ?? "", state ?? 0]);
      const found = await listAccounts(
        db.query,
        {
          visibleTo: asAdministrator ? undefined : id,
          workspaceId,
          disabled: state === undefined ? undefined : state === UserState.DISABLED,
        },
        afterKeyOf(page, "string", "string"),
        page.size + 1,
      );
      const { rows, nextPageToken } = cutPage(found, page, ({ account, nameKey }) => [nameKey, account.id]);
      return { users: rows.map(({ account }) => toUser(account, { asAdministrator })), nextPageToken };
    },

    async updateUser({ userId, profile, updateMask, etag }) {
      const paths = new Set(updateMask?.paths ?? []);
      const { displayName = "", locale = "", timeZone = "" } = profile ?? {};
      if (paths.has("display_name")) checkName("profile.display_name", displayName);
      if (paths.has("time_zone")) checkTimeZone("profile.time_zone", timeZone);
      return await writing(deps, async (write) => {
        checkEtag(etag, (await existing(write.tx, userId)).version);
        const change = {
          ...(paths.has("display_name") && { displayName: displayName.trim() }),
          ...(paths.has("locale") && { locale }),
          ...(paths.has("time_zone") && { timeZone }),
        };
        return await changed(write, userId, change, false);
      });
    },

    async changePassword({ userId, currentPassword, newPassword }, context) {
      const { sessionId } = subjectOf(context);
      const account = await existing(db.query, userId);
      refuseWeakPassword(newPassword, account);
      const slowed = await slowingPassword(deps, account.email, userId, sourceHashOf(callOf(context).clientAddress));
      if (!(await verifySlowly(deps, slowed, account.passwordHash, currentPassword))) {
        throw new AppError(Reason.CREDENTIALS_INVALID);
      }
      const passwordHash = await deps.passwords.hash(newPassword);
      await writing(deps, async (write) => {
        await forgiveAttempt(write.tx, slowed, write.now.getTime());
        if ((await existing(write.tx, userId)).passwordHash !== account.passwordHash) {
          throw new AppError(Reason.CREDENTIALS_INVALID);
        }
        await deletePasswordResets(write.tx, userId);
        await updateAccount(write.tx, userId, { passwordHash, resetRequestedAt: null });
        await endSessionsOf(write, userId, sessionId);
      });
      events.passwordChanged(userId);
      return {};
    },

    async disableUser({ userId }, context) {
      const response = await writing(deps, async (write) => {
        const { tx, now, tell } = write;
        await lockInstance(tx);
        const account = await existing(tx, userId);
        if (account.disabledAt !== undefined) return { user: toUser(account, { asAdministrator: true }) };
        await refuseLastAdministrator(tx, account);
        // In one order everywhere, so that two of these cannot wait for each other.
        for (const workspaceId of await affectedWorkspaces(tx, userId)) await write.lock(workspaceId);
        for (const workspaceId of await ownedWorkspaceIds(tx, userId)) {
          if ((await otherOwners(tx, workspaceId, userId)).length === 0) {
            throw new AppError(Reason.LAST_OWNER, { metadata: { workspace_id: workspaceId } });
          }
        }
        await endSessionsOf(write, userId);
        await deletePasswordResets(tx, userId);
        for (const { id: keyId, applicationId, workspaceId } of await liveApiKeysOwnedBy(tx, userId)) {
          tell({ case: "keyRevoked", value: { keyId, applicationId, workspaceId } });
        }
        tell({ case: "userDisabled", value: { userId } });
        return await changed(write, userId, { disabledAt: now, resetRequestedAt: null }, true);
      });
      events.accountDisabled(userId, subjectOf(context).id);
      return response;
    },

    async enableUser({ userId }, context) {
      const response = await writing(deps, async (write) => {
        const { tx, tell } = write;
        const account = await existing(tx, userId);
        if (account.disabledAt === undefined) return { user: toUser(account, { asAdministrator: true }) };
        for (const workspaceId of await affectedWorkspaces(tx, userId)) await write.lock(workspaceId);
        tell({ case: "userEnabled", value: { userId } });
        return await changed(write, userId, { disabledAt: null }, true);
      });
      events.accountEnabled(userId, subjectOf(context).id);
      return response;
    },

    async setAdministrator({ userId, administrator }, context) {
      const response = await writing(deps, async (write) => {
        const { tx } = write;
        await lockInstance(tx);
        const account = await existing(tx, userId);
        if (account.administrator === administrator) return { user: toUser(account, { asAdministrator: true }) };
        if (!administrator) await refuseLastAdministrator(tx, account);
        return await changed(write, userId, { administrator }, true);
      });
      events.administratorSet(userId, administrator, subjectOf(context).id);
      return response;
    },

    async createPasswordReset({ userId }) {
      return await writing(deps, async ({ tx, now }) => {
        await existing(tx, userId);
        const id = newId();
        const secret = deps.vault.linkSecret("reset", id);
        const expiresAt = new Date(now.getTime() + resetLifeMs);
        await insertPasswordReset(tx, { id, userId, secretHash: hashSecret(secret), createdAt: now, expiresAt });
        return {
          link: linkOf(deps.rules.publicUrl(), "reset-password", secret),
          expireTime: timestampFromDate(expiresAt),
        };
      });
    },
  };
}

async function existing(db: Db, id: string): Promise<Account> {
  const account = await findAccount(db, id);
  if (account === undefined) throw notFound("user", id);
  return account;
}

async function refuseLastAdministrator(tx: Db, account: Account): Promise<void> {
  if (!account.administrator || account.disabledAt !== undefined) return;
  if ((await countAdministrators(tx)) <= 1) throw new AppError(Reason.LAST_ADMINISTRATOR);
}

/** Where it matters whether this account is disabled: where it is a member, and where it owns an application. */
async function affectedWorkspaces(tx: Db, userId: string): Promise<string[]> {
  const ids = new Set([...(await workspaceIdsOf(tx, userId)), ...(await applicationWorkspacesOf(tx, userId))]);
  return [...ids].sort();
}
