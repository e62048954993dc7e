// A receiver of webhooks, as a customer would run one: it takes only what it can verify (standardwebhooks, a library that
// is not ours), and refuses some deliveries at first, as receivers do.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";

/** What one webhook has delivered. */
export interface Inbox {
  /** The URL of the webhook. */
  readonly url: string;
  /** The webhook's secret, once it is known. */
  secret: string;
  /** The id of each change that came → the ids of the deliveries that brought it. */
  readonly changes: ReadonlyMap<string, ReadonlySet<string>>;
  /** How often something came that was there already. */
  readonly repeated: number;
  /** What could not be verified. */
  readonly faults: readonly string[];
}

/** A receiver that listens. */
export interface Receiver extends AsyncDisposable {
  /** A new address to deliver to. */
  open(): Inbox;
}

/** The settings of an integration service that may deliver to it, and tries again soon. */
export const receiverSettings = {
  WEBHOOK_ALLOWED_RANGES: "127.0.0.0/8",
  WEBHOOK_ALLOW_HTTP: "true",
  WEBHOOK_FIRST_PAUSE: "100ms",
} as const;

/** One delivery in so many is refused when it comes first. */
const refusesOneIn = 20;

/** Starts one on a free port of this machine. */
export async function startReceiver(): Promise<Receiver> {
  const inboxes = new Map<string, OpenInbox>();
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const inbox = inboxes.get(request.url ?? "");
      const status = inbox?.take(request.headers as Record<string, string>, Buffer.concat(parts).toString()) ?? 404;
      response.writeHead(status).end();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    open() {
      const path = `/inbox/${inboxes.size + 1}`;
      const inbox = new OpenInbox(`http://127.0.0.1:${port}${path}`);
      inboxes.set(path, inbox);
      return inbox;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

class OpenInbox implements Inbox {
  readonly url: string;
  secret = "";
  readonly changes = new Map<string, Set<string>>();
  repeated = 0;
  readonly faults: string[] = [];
  readonly #refused = new Set<string>();

  constructor(url: string) {
    this.url = url;
  }

  take(headers: Record<string, string>, body: string): number {
    const delivery = headers["webhook-id"] ?? "";
    if (Math.random() < 1 / refusesOneIn && !this.#refused.has(delivery)) {
      this.#refused.add(delivery);
      return 503;
    }
    try {
      const { id } = new Webhook(this.secret).verify(body, headers) as { id: string };
      const seen = this.changes.get(id) ?? new Set();
      if (seen.size > 0) this.repeated += 1;
      this.changes.set(id, seen.add(delivery));
      return 204;
    } catch (error) {
      this.faults.push(`a delivery could not be verified: ${(error as Error).message}`);
      return 400;
    }
  }
}
