// `npm run admin -- users …`: who administers, passwords, who may come in.

import type { AccountRecord, PasswordLink, UserAdmin } from "@docket/user/admin";
import { type Answer, type Command, columns, type Surroundings } from "./command.ts";
import { openers } from "./databases.ts";

const address = { parameters: "<address>", count: { min: 1, max: 1 } } as const;
const password = { "password-stdin": { type: "boolean" } } as const;

/** Commands on accounts. */
export const userCommands: readonly Command[] = [
  {
    name: "users list",
    parameters: "",
    summary: "All accounts.",
    count: { min: 0, max: 0 },
    run: (_, { environment }) =>
      withUsers(environment, async (users) => {
        const accounts = await users.listUsers();
        const rows = accounts.map((one) => [one.email, one.displayName, standingOf(one), dayOf(one.createdAt)]);
        return { data: accounts, lines: columns(["ADDRESS", "NAME", "STANDING", "SINCE"], rows) };
      }),
  },
  {
    ...address,
    name: "users create",
    parameters: "<address> [--name <name>] [--password-stdin]",
    summary: "A new administrator, the first one for example; prints a link that sets the password, or reads it.",
    options: { name: { type: "string" }, ...password },
    async run({ positionals: [email = ""], options }, surroundings) {
      const given = options["password-stdin"] ? await surroundings.readSecret("Password: ") : undefined;
      // Before the first start there is no database yet: whoever is made now is there before any stranger.
      await using users = await openers.user(surroundings.environment, { create: true });
      const account = await users.createAdministrator(email, String(options.name ?? ""), given);
      const said = `${account.email} is an administrator now.`;
      if (given !== undefined) return { data: { account }, lines: [said] };
      return linkAnswer(account, await users.makeResetLink(email), said);
    },
  },
  {
    ...address,
    name: "users promote",
    summary: "Makes an account an administrator of the instance.",
    run: (words, around) =>
      changed(words.positionals, around, "is an administrator now", (users, email) =>
        users.setAdministrator(email, true),
      ),
  },
  {
    ...address,
    name: "users demote",
    summary: "Makes it no administrator any more; the last one stays.",
    run: (words, around) =>
      changed(words.positionals, around, "is no administrator any more", (users, email) =>
        users.setAdministrator(email, false),
      ),
  },
  {
    ...address,
    name: "users reset-password",
    parameters: "<address> [--password-stdin]",
    summary: "Prints a link that sets a new password, good for an hour and once; or reads the password.",
    options: password,
    async run({ positionals: [email = ""], options }, surroundings) {
      const given = options["password-stdin"] ? await surroundings.readSecret("Password: ") : undefined;
      await using users = await openers.user(surroundings.environment);
      if (given !== undefined) {
        const account = await users.setPassword(email, given);
        return { data: { account }, lines: [`${account.email} has a new password; all its sessions have ended.`] };
      }
      return linkAnswer(undefined, await users.makeResetLink(email));
    },
  },
  {
    ...address,
    name: "users disable",
    summary: "Keeps an account out: its sessions and API keys end at once, what it made stays.",
    run: (words, around) =>
      changed(words.positionals, around, "is disabled", (users, email) => users.setDisabled(email, true)),
  },
  {
    ...address,
    name: "users enable",
    summary: "Lets it in again.",
    run: (words, around) =>
      changed(words.positionals, around, "is enabled", (users, email) => users.setDisabled(email, false)),
  },
  {
    ...address,
    name: "users end-sessions",
    summary: "Signs an account out everywhere.",
    run: ({ positionals: [email = ""] }, { environment }) =>
      withUsers(environment, async (users) => {
        const sessions = await users.endSessions(email);
        return {
          data: { sessions },
          lines: [`${sessions} ${sessions === 1 ? "session has" : "sessions have"} ended.`],
        };
      }),
  },
];

async function withUsers(
  environment: Surroundings["environment"],
  run: (users: UserAdmin) => Promise<Answer>,
): Promise<Answer> {
  await using users = await openers.user(environment);
  return await run(users);
}

function changed(
  [email = ""]: readonly string[],
  { environment }: Surroundings,
  said: string,
  change: (users: UserAdmin, email: string) => Promise<AccountRecord>,
): Promise<Answer> {
  return withUsers(environment, async (users) => {
    const account = await change(users, email);
    return { data: { account }, lines: [`${account.email} ${said}.`] };
  });
}

function linkAnswer(account: AccountRecord | undefined, { link, expiresAt }: PasswordLink, said?: string): Answer {
  return {
    data: { ...(account && { account }), link, expiresAt },
    lines: [
      ...(said === undefined ? [] : [said]),
      `Until ${expiresAt.toISOString()}, this link sets a password, once:`,
      link,
    ],
  };
}

function standingOf({ administrator, disabled }: AccountRecord): string {
  const words = [...(administrator ? ["administrator"] : []), ...(disabled ? ["disabled"] : [])];
  return words.join(", ") || "-";
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
