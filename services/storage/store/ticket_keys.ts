// The keys that sign tickets: made here, shared by replicas through the database, and never told to anybody.

import { randomBytes } from "node:crypto";
import type { Clock } from "@docket/runtime/clock";
import { newId } from "@docket/runtime/ids";
import type { TicketKey } from "../domain/ticket.ts";
import type { StorageDatabase } from "./entities.ts";

/** How long a key signs. It verifies for twice that, which is far longer than a ticket lives. */
const keyLifeMs = 24 * 60 * 60 * 1000;

export class TicketKeyStore {
  readonly #db: StorageDatabase;
  readonly #clock: Clock;
  readonly #known = new Map<string, TicketKey & { readonly createdAt: number }>();

  constructor(db: StorageDatabase, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  /** The key that signs now. */
  async current(): Promise<TicketKey> {
    const now = this.#clock().getTime();
    const fresh = [...this.#known.values()].find(({ createdAt }) => now < createdAt + keyLifeMs);
    if (fresh !== undefined) return fresh;
    const stored = await this.#db.query
      .selectFrom("ticket_key")
      .selectAll()
      .where("created_at", ">", now - keyLifeMs)
      .orderBy("created_at", "desc")
      .limit(1)
      .executeTakeFirst();
    if (stored !== undefined) return this.#remember(stored);
    const made = { id: newId(), secret: randomBytes(32), created_at: now };
    await this.#db.query.insertInto("ticket_key").values(made).execute();
    return this.#remember(made);
  }

  /** The key of a ticket, if it still counts. */
  async find(id: string): Promise<TicketKey | undefined> {
    const oldest = this.#clock().getTime() - 2 * keyLifeMs;
    const known = this.#known.get(id);
    if (known !== undefined) return known.createdAt > oldest ? known : undefined;
    const row = await this.#db.query
      .selectFrom("ticket_key")
      .selectAll()
      .where("id", "=", id)
      .where("created_at", ">", oldest)
      .executeTakeFirst();
    return row && this.#remember(row);
  }

  /** Removes keys that no longer count. */
  async prune(): Promise<void> {
    const oldest = this.#clock().getTime() - 2 * keyLifeMs;
    for (const [id, key] of this.#known) if (key.createdAt <= oldest) this.#known.delete(id);
    await this.#db.query.deleteFrom("ticket_key").where("created_at", "<=", oldest).execute();
  }

  #remember(row: { id: string; secret: Uint8Array; created_at: number }): TicketKey {
    const key = { id: row.id, secret: row.secret, createdAt: row.created_at };
    this.#known.set(row.id, key);
    return key;
  }
}
