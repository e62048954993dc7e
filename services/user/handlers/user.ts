import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { UserState } from "@docket/contracts/gen/docket/user/v1/user_pb.ts";
import type { UserService } from "@docket/contracts/gen/docket/user/v1/user_service_pb.ts";
import { callOf, subjectOf } from "@docket/runtime/call";
import { openPage } from "@docket/runtime/db/page";
import { AppError } from "@docket/runtime/errors";
import { findAccount, listAccounts, updateAccount } from "../store/account_store.ts";
import { forgiveAttempt } from "../store/throttle_store.ts";
import {
  changeAdministrator,
  disableAccount,
  enableAccount,
  existingAccount,
  makeResetLink,
  replacePassword,
} from "./accounts.ts";
import type { Deps } from "./deps.ts";
import { toUser } from "./messages.ts";
import { refuseWeakPassword } from "./sign_up.ts";
import { slowingPassword, sourceHashOf, verifySlowly } from "./throttling.ts";
import { afterKeyOf, checkEtag, checkName, checkTimeZone, cutPage, writing } from "./writing.ts";

/** Accounts, and who administers them. */
export function userHandlers(deps: Deps): ServiceImpl<typeof UserService> {
  const { db, events } = deps;

  const isAdministrator = async (id: string) => (await findAccount(db.query, id))?.administrator ?? false;

  return {
    async getUser({ userId }, context) {
      const asAdministrator = await isAdministrator(subjectOf(context).id);
      return { user: toUser(await existingAccount(db.query, userId), { asAdministrator }) };
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
        checkEtag(etag, (await existingAccount(write.tx, userId)).version);
        const change = {
          ...(paths.has("display_name") && { displayName: displayName.trim() }),
          ...(paths.has("locale") && { locale }),
          ...(paths.has("time_zone") && { timeZone }),
        };
        await updateAccount(write.tx, userId, change);
        return { user: toUser(await existingAccount(write.tx, userId), { asAdministrator: false }) };
      });
    },

    async changePassword({ userId, currentPassword, newPassword }, context) {
      const { sessionId } = subjectOf(context);
      const account = await existingAccount(db.query, userId);
      refuseWeakPassword(newPassword, account);
      const slowed = await slowingPassword(deps, account.email, userId, sourceHashOf(callOf(context).clientAddress));
      if (!(await verifySlowly(deps, slowed, account.passwordHash, currentPassword))) {
        throw new AppError(Reason.CREDENTIALS_INVALID);
      }
      const passwordHash = await deps.passwords.hash(newPassword);
      await writing(deps, async (write) => {
        await forgiveAttempt(write.tx, slowed, write.now.getTime());
        if ((await existingAccount(write.tx, userId)).passwordHash !== account.passwordHash) {
          throw new AppError(Reason.CREDENTIALS_INVALID);
        }
        await replacePassword(write, userId, passwordHash, sessionId);
      });
      events.passwordChanged(userId);
      return {};
    },

    async disableUser({ userId }, context) {
      const account = await disableAccount(deps, userId);
      events.accountDisabled(userId, subjectOf(context).id);
      return { user: toUser(account, { asAdministrator: true }) };
    },

    async enableUser({ userId }, context) {
      const account = await enableAccount(deps, userId);
      events.accountEnabled(userId, subjectOf(context).id);
      return { user: toUser(account, { asAdministrator: true }) };
    },

    async setAdministrator({ userId, administrator }, context) {
      const account = await changeAdministrator(deps, userId, administrator);
      events.administratorSet(userId, administrator, subjectOf(context).id);
      return { user: toUser(account, { asAdministrator: true }) };
    },

    async createPasswordReset({ userId }) {
      const { link, expiresAt } = await makeResetLink(deps, userId);
      return { link, expireTime: timestampFromDate(expiresAt) };
    },
  };
}
