// A receiver of webhooks: a real HTTP server on the loopback that keeps what it got and answers as the test says.
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One request that came. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** How a request is answered: a status, or whatever the function does. */
export type Answer = number | ((response: ServerResponse, received: Received) => void);

export class Receiver implements AsyncDisposable {
  readonly received: Received[] = [];
  /** What comes next is answered so. */
  answer: Answer = 200;
  /** How many requests are open, and the most that were. */
  open = 0;
  mostOpen = 0;
  readonly #server = createServer((request, response) => {
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    response.on("close", () => {
      this.open -= 1;
    });
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const body = Buffer.concat(parts).toString();
      const received = { path: request.url ?? "", headers: request.headers, body };
      this.received.push(received);
      if (typeof this.answer === "number") response.writeHead(this.answer).end("answered");
      else this.answer(response, received);
    });
  });

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    receiver.#server.listen(0, "127.0.0.1");
    await once(receiver.#server, "listening");
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook`;
  }

  /** The ids of the deliveries that came, each attempt. */
  get ids(): string[] {
    return this.received.map(({ headers }) => String(headers["webhook-id"]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
