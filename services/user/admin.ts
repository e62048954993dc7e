// What an operator may do to accounts from the command line, beside a service that runs or without one. Effects are
// those of the RPCs: the same functions, the same rows in the change log, which processes that run follow.

import { randomBytes } from "node:crypto";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { type AdminOptions, adminOf, type DatabaseAdmin, openForAdmin } from "@docket/runtime/admin";
import { systemClock } from "@docket/runtime/clock";
import { isUniqueViolation } from "@docket/runtime/db/database";
import { AppError, StartError } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import { databaseOf } from "@docket/runtime/service_settings";
import { keySecretOf, publicUrlOf, type UserConfig } from "./config.ts";
import { createPasswords } from "./credentials/passwords.ts";
import { createVault, loadVaultSecret } from "./credentials/vault.ts";
import type { Account } from "./domain/model.ts";
import { foldEmail } from "./domain/names.ts";
import { passwordLength } from "./domain/password.ts";
import {
  changeAdministrator,
  disableAccount,
  enableAccount,
  existingAccount,
  makeResetLink,
  replacePassword,
} from "./handlers/accounts.ts";
import { endSessionsOf } from "./handlers/sessions.ts";
import { refuseWeakPassword } from "./handlers/sign_up.ts";
import { writing } from "./handlers/writing.ts";
import { findAccountByEmail, insertAccount, listAccounts, lockInstance } from "./store/account_store.ts";
import type { Db } from "./store/database.ts";
import { entities } from "./store/entities.ts";
import { migrations } from "./store/migrations/index.ts";
import { findWorkspace, otherOwners, ownedWorkspaceIds } from "./store/workspace_store.ts";

/** An account as operators see it. */
export interface AccountRecord {
  readonly id: string;
  readonly email: string;
  readonly displayName: string;
  readonly administrator: boolean;
  readonly disabled: boolean;
  readonly createdAt: Date;
}

/** A link that sets a password, once, until it expires. */
export interface PasswordLink {
  readonly link: string;
  readonly expiresAt: Date;
}

/** The operator's hand on the user service's database. Accounts are named by their address; StartError where none has it. */
export interface UserAdmin extends DatabaseAdmin {
  /** All accounts, by name. */
  listUsers(): Promise<AccountRecord[]>;
  /** A new account that administers the instance; without a password nobody can sign in before a link has set one. */
  createAdministrator(email: string, displayName: string, password?: string): Promise<AccountRecord>;
  setAdministrator(email: string, administrator: boolean): Promise<AccountRecord>;
  makeResetLink(email: string): Promise<PasswordLink>;
  /** Sets a password and ends all sessions of the account. */
  setPassword(email: string, password: string): Promise<AccountRecord>;
  setDisabled(email: string, disabled: boolean): Promise<AccountRecord>;
  /** Ends all sessions and answers how many there were. */
  endSessions(email: string): Promise<number>;
}

/** Opens the user service's database for an operator. Throws StartError. */
export async function openUserAdmin(config: UserConfig, options?: AdminOptions): Promise<UserAdmin> {
  const db = await openForAdmin({ ...databaseOf(config), name: "user", entities, migrations }, options);
  const deps = { db, clock: systemClock };

  const accountOf = async (email: string): Promise<Account> => {
    const account = await findAccountByEmail(db.query, foldEmail(email));
    if (account === undefined) throw new StartError(`No account has the address ${email}.`);
    return account;
  };
  const hash = async (password: string, person: { email: string; displayName: string }) => {
    const { length } = [...password];
    if (length < passwordLength.min || length > passwordLength.max) {
      throw new StartError(`A password has ${passwordLength.min} to ${passwordLength.max} characters.`);
    }
    refuseWeakPassword(password, person);
    return await (await createPasswords()).hash(password);
  };

  return {
    ...adminOf(db),
    async listUsers() {
      const found: AccountRecord[] = [];
      let after: readonly [string, string] | undefined;
      for (;;) {
        const all = { visibleTo: undefined, workspaceId: undefined, disabled: undefined };
        const rows = await listAccounts(db.query, all, after, 500);
        const last = rows.at(-1);
        if (last === undefined) return found;
        found.push(...rows.map(({ account }) => recordOf(account)));
        after = [last.nameKey, last.account.id];
      }
    },

    async createAdministrator(address, displayName, password) {
      const email = foldEmail(address);
      if (!/^[^\s@]+@[^\s@]+$/.test(email)) throw new StartError(`${JSON.stringify(address)} is no mail address.`);
      const person = { email, displayName: displayName.trim() || (email.split("@")[0] ?? email) };
      // Nobody knows the other one: it only keeps everybody out until a link has set one.
      const passwordHash = await hash(password ?? randomBytes(32).toString("base64url"), person);
      const account: Account = {
        id: newId(),
        ...person,
        locale: "",
        timeZone: "",
        passwordHash,
        administrator: true,
        createdAt: systemClock(),
        disabledAt: undefined,
        resetRequestedAt: undefined,
        version: 1,
      };
      try {
        await writing(deps, async ({ tx }) => {
          await lockInstance(tx);
          await insertAccount(tx, account);
        });
      } catch (error) {
        if (isUniqueViolation(error)) throw new AppError(Reason.EMAIL_TAKEN, { message: taken(email), cause: error });
        throw error;
      }
      return recordOf(account);
    },

    async setAdministrator(email, administrator) {
      return recordOf(await changeAdministrator(deps, (await accountOf(email)).id, administrator));
    },

    async makeResetLink(email) {
      const { id, disabledAt } = await accountOf(email);
      if (disabledAt !== undefined) throw new StartError(`The account ${email} is disabled; enable it first.`);
      const vault = createVault(keySecretOf(config) ?? (await loadVaultSecret(config.dataDir)));
      return await makeResetLink({ ...deps, vault, rules: { publicUrl: () => publicUrlOf(config) } }, id);
    },

    async setPassword(email, password) {
      const account = await accountOf(email);
      const passwordHash = await hash(password, account);
      await writing(deps, (write) => replacePassword(write, account.id, passwordHash));
      return recordOf(account);
    },

    async setDisabled(email, disabled) {
      const { id } = await accountOf(email);
      if (!disabled) return recordOf(await enableAccount(deps, id));
      try {
        return recordOf(await disableAccount(deps, id));
      } catch (error) {
        if (!(error instanceof AppError) || error.reason !== Reason.LAST_OWNER) throw error;
        throw new StartError(needed(email, await ownedAlone(db.query, id)), { cause: error });
      }
    },

    async endSessions(email) {
      const { id } = await accountOf(email);
      return await writing(deps, async (write) => {
        await existingAccount(write.tx, id);
        return await endSessionsOf(write, id);
      });
    },
  };
}

/** The names of the workspaces that nobody else owns. */
async function ownedAlone(query: Db, userId: string): Promise<string[]> {
  const names: string[] = [];
  for (const id of await ownedWorkspaceIds(query, userId)) {
    if ((await otherOwners(query, id, userId)).length > 0) continue;
    names.push((await findWorkspace(query, id))?.name ?? id);
  }
  return names;
}

// Somebody who must be kept out now cannot be waited for: the way that is there is told at once.
function needed(email: string, workspaces: readonly string[]): string {
  const named = workspaces.map((name) => JSON.stringify(name)).join(", ");
  return `${email} alone owns ${named}: make somebody else an owner there first, or delete it. At once, users reset-password ${email} --password-stdin ends its sessions and its password; API keys go on.`;
}

function taken(email: string): string {
  return `${email} has an account already; to make it an administrator: users promote ${email}`;
}

function recordOf({ id, email, displayName, administrator, disabledAt, createdAt }: Account): AccountRecord {
  return { id, email, displayName, administrator, disabled: disabledAt !== undefined, createdAt };
}
