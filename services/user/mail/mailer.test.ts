import { describe, expect, it } from "@jest/globals";
import { mailServer } from "../test/mail_server.ts";
import { createMailer } from "./mailer.ts";
import { accountExistsMail, confirmMail, invitationMail, resetMail } from "./texts.ts";

const expiresAt = new Date("2027-03-03T14:05:00Z");

describe("mail", () => {
  it("is handed to the server, from and to whom it should be", async () => {
    await using server = await mailServer();
    const mailer = createMailer(server.url, "Docket <docket@example.com>");
    await mailer.send(resetMail("anna@example.com", { link: "https://docket.test/reset-password/abc", expiresAt }));
    const [from, to, body] = server.received;
    expect(from).toContain("<docket@example.com>");
    expect(to).toContain("<anna@example.com>");
    expect(body).toMatch(/^Subject: Choose a new password for Docket$/m);
    expect(body).toContain("https://docket.test/reset-password/abc");
    expect(body).toContain("3 March 2027");
  });

  it("goes to one address, whatever stands in it", async () => {
    await using server = await mailServer();
    const mailer = createMailer(server.url, "docket@example.com");
    await mailer.send(accountExistsMail("a@example.com,b@example.com", { signInLink: "x" })).catch(() => undefined);
    expect(server.received.filter((line) => line.startsWith("RCPT")).length).toBeLessThanOrEqual(1);
  });

  it("that the server refuses is an error, so that it is tried again", async () => {
    await using server = await mailServer(true);
    const mailer = createMailer(server.url, "docket@example.com");
    await expect(mailer.send(confirmMail("nobody@example.com", { link: "x", expiresAt }))).rejects.toThrow();
  });

  it("holds names on one line", () => {
    const mail = invitationMail("a@example.com", {
      workspace: "One\r\nBcc: everybody@example.com",
      inviter: "Ben\nKeller",
      link: "x",
      expiresAt,
    });
    expect(mail.subject).toBe("You are invited to One Bcc: everybody@example.com on Docket");
    expect(mail.text).toContain("Ben Keller invites you");
  });
});
