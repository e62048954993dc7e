// A mail server of a test's own, as far as SMTP needs one.

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/** A mail server that takes what it is given, or refuses every recipient. */
export async function mailServer(refuse = false) {
  const received: string[] = [];
  const server = createServer((socket) => {
    let data = false;
    let text = "";
    const say = (line: string) => socket.write(`${line}\r\n`);
    say("220 test");
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      text += chunk.toString();
      for (;;) {
        const end = data ? text.indexOf("\r\n.\r\n") : text.indexOf("\r\n");
        if (end < 0) return;
        const line = text.slice(0, end);
        text = text.slice(end + (data ? 5 : 2));
        if (data) {
          received.push(line);
          data = false;
          say("250 taken");
        } else if (/^RCPT/i.test(line) && refuse) say("550 no such mailbox");
        else if (/^DATA/i.test(line)) {
          data = true;
          say("354 go on");
        } else if (/^QUIT/i.test(line)) {
          say("221 bye");
          socket.end();
        } else {
          if (/^(MAIL|RCPT)/i.test(line)) received.push(line);
          say("250 well");
        }
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    received,
    url: new URL(`smtp://127.0.0.1:${(server.address() as AddressInfo).port}`),
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}
