import { createTransport } from "nodemailer";

/** A mail in plain text. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** Sends mail; rejects when the server does not take it, and the job that asked tries again. */
export interface Mailer {
  send(mail: Mail): Promise<void>;
}

/** Sends by the server of an `smtp:` or `smtps:` URL. */
export function createMailer(smtpUrl: URL, from: string): Mailer {
  const transport = createTransport(smtpUrl.href, { from });
  return {
    async send({ to, subject, text }) {
      await transport.sendMail({ to: { name: "", address: to }, subject, text });
    },
  };
}
