// For an operator who is locked out: `node services/user/reset_link.ts <address>` prints a link with which the account
// of the address gets a new password. It needs the settings of the service and its database, and no running service.

import { openDatabase } from "@docket/runtime/db/database";
import { StartError } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import { createLogger } from "@docket/runtime/logger";
import { databaseUrlOf } from "@docket/runtime/service_settings";
import { keySecretOf, publicUrlOf, readConfig, type UserConfig } from "./config.ts";
import { createVault, hashSecret, loadVaultSecret } from "./credentials/vault.ts";
import { foldEmail } from "./domain/names.ts";
import { linkOf, resetLifeMs } from "./handlers/mailing.ts";
import { findAccountByEmail } from "./store/account_store.ts";
import { insertPasswordReset } from "./store/credential_store.ts";
import { entities } from "./store/entities.ts";
import { migrations } from "./store/migrations/sqlite/index.ts";

/** The link, good for an hour and once. Throws StartError when there is no such account. */
export async function makeResetLink(config: UserConfig, address: string): Promise<string> {
  await using db = await openDatabase({
    url: databaseUrlOf(config),
    name: "user",
    entities,
    migrations: { sqlite: migrations },
    logger: createLogger({ service: "user", level: "warn" }),
    migrate: false,
  });
  const account = await findAccountByEmail(db.query, foldEmail(address));
  if (account === undefined) throw new StartError(`No account has the address ${address}.`);
  const vault = createVault(keySecretOf(config) ?? (await loadVaultSecret(config.dataDir)));
  const id = newId();
  const secret = vault.linkSecret("reset", id);
  const createdAt = new Date();
  const expiresAt = new Date(createdAt.getTime() + resetLifeMs);
  const reset = { id, userId: account.id, secretHash: hashSecret(secret), createdAt, expiresAt };
  await db.transaction((tx) => insertPasswordReset(tx, reset));
  return linkOf(publicUrlOf(config), "reset-password", secret);
}

if (import.meta.main) {
  try {
    const [address] = process.argv.slice(2);
    if (address === undefined) throw new StartError("usage: node services/user/reset_link.ts <address>");
    process.stdout.write(`${await makeResetLink(readConfig(), address)}\n`);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
