// Tickets for reading: made for the document service, opened when somebody comes to read.

import type { Clock } from "@docket/runtime/clock";
import { ownerOf } from "../domain/owner.ts";
import { keyIdOf, signTicket, type Ticket, ticketLifeMs, verifyTicket } from "../domain/ticket.ts";
import type { TicketKeyStore } from "../store/ticket_keys.ts";

type Holder = { readonly kind: string; readonly id: string };

export class Tickets {
  readonly #keys: TicketKeyStore;
  readonly #clock: Clock;

  constructor(keys: TicketKeyStore, clock: Clock) {
    this.#keys = keys;
    this.#clock = clock;
  }

  /** A ticket for this subject, and when it ends. */
  async issue(holder: Holder, content: Pick<Ticket, "blobId" | "name" | "mediaType">) {
    const expiresAt = this.#clock().getTime() + ticketLifeMs;
    const text = signTicket({ ...content, subject: ownerOf(holder), expiresAt }, await this.#keys.current());
    return { text, expiresAt };
  }

  /** What a ticket says, if it is genuine, in time, and this subject's. */
  async open(text: string, holder: Holder): Promise<Ticket | undefined> {
    const keyId = keyIdOf(text);
    const key = keyId === undefined ? undefined : await this.#keys.find(keyId);
    const ticket = key && verifyTicket(text, key, this.#clock().getTime());
    return ticket?.subject === ownerOf(holder) ? ticket : undefined;
  }
}
