import type { Mail } from "./mailer.ts";

/** "Until 3 March 2027, 14:05 UTC". */
function until(time: Date): string {
  return `${new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short", timeZone: "UTC" }).format(time)} UTC`;
}

/** Names come from people: one line, and not long. */
function oneLine(name: string): string {
  return name.replaceAll(/\s+/g, " ").slice(0, 100);
}

export function invitationMail(
  to: string,
  about: { workspace: string; inviter: string; link: string; expiresAt: Date },
): Mail {
  return {
    to,
    subject: `You are invited to ${oneLine(about.workspace)} on Docket`,
    text: `${oneLine(about.inviter)} invites you to the workspace "${oneLine(about.workspace)}" on Docket.

Open this link to accept:
${about.link}

It works once, until ${until(about.expiresAt)}. If you expect no invitation, ignore this mail.
`,
  };
}

export function resetMail(to: string, about: { link: string; expiresAt: Date }): Mail {
  return {
    to,
    subject: "Choose a new password for Docket",
    text: `Somebody, hopefully you, asked for a new password for your Docket account.

Open this link to choose one:
${about.link}

It works once, until ${until(about.expiresAt)}. If it was not you, ignore this mail: your password stays as it is.
`,
  };
}

export function confirmMail(to: string, about: { link: string; expiresAt: Date }): Mail {
  return {
    to,
    subject: "Confirm your address for Docket",
    text: `Somebody, hopefully you, made an account on Docket with this address.

Open this link to confirm it:
${about.link}

It works once, until ${until(about.expiresAt)}. If it was not you, ignore this mail: no account is made.
`,
  };
}

export function accountExistsMail(to: string, about: { signInLink: string }): Mail {
  return {
    to,
    subject: "You have an account on Docket already",
    text: `Somebody, hopefully you, tried to make an account on Docket with this address, which has one already.

Sign in here, or ask there for a new password:
${about.signInLink}

If it was not you, ignore this mail: nothing has changed.
`,
  };
}

/** About a task that is due. The title is left out where not everybody told may know it. */
export function taskReminderMail(
  to: string,
  about: { workspace: string; title: string; dueDate: string; overdue: boolean; link: string },
): Mail {
  const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" }).format(
    new Date(`${about.dueDate}T00:00:00Z`),
  );
  const state = about.overdue ? "is overdue" : "is due today";
  const named = about.title === "" ? "A task" : `"${oneLine(about.title)}"`;
  return {
    to,
    subject: `${named} ${state}`,
    text: `${named} in the workspace "${oneLine(about.workspace)}" ${about.overdue ? "was due on" : "is due today,"} ${day}, and is not completed yet.

Open it here:
${about.link}

You get this mail because the task is assigned to you, or to a group that you are in.
`,
  };
}
