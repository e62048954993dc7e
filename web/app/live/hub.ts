// Passes what one connection says on to every tab, and brings tabs up to date that come later.

import { Connection, type LiveNews } from "./connection.ts";

/** What a tab says. */
export type LiveAsk =
  | {
      readonly type: "attach";
      /** When what the tab shows was asked for at the earliest; times are the browser's, in milliseconds since 1970. */
      readonly since: number;
      /** A place in the log that is not after what the tab shows; empty where it has none. */
      readonly cursor: string;
      /** When it had that place at the latest. */
      readonly placedAt: number;
    }
  | { readonly type: "detach" }
  | { readonly type: "wake" };

/** A tab, as the hub sees it. */
export interface LivePort {
  postMessage(news: LiveNews): void;
}

/** How much is kept for tabs that come later. */
const kept = { messages: 500, letters: 2_000_000 };
/** How long the connection outlives its last tab, in milliseconds. */
const lingerMs = 10_000;

export class Hub {
  readonly #ports = new Set<LivePort>();
  readonly #connection: Connection;
  #news: { readonly at: number; readonly news: LiveNews & { type: "changes" } }[] = [];
  #letters = 0;
  /** Everything told after this moment is in #news, or still to come. */
  #completeSince = Number.POSITIVE_INFINITY;
  /** Tabs that may have missed something; told when the connection is live, so that nothing falls in between. */
  readonly #behind = new Set<LivePort>();
  #linger: ReturnType<typeof setTimeout> | undefined;

  constructor(userId: string, fetching: typeof fetch) {
    this.#connection = new Connection({ userId, fetch: fetching, tell: (news) => this.#tell(news) });
  }

  hear(port: LivePort, ask: LiveAsk): void {
    if (ask.type === "attach") this.#attach(port, ask);
    else if (ask.type === "wake") this.wake();
    else this.#detach(port);
  }

  /** It is worth trying again at once. */
  wake(): void {
    this.#connection.wake();
  }

  #attach(port: LivePort, { since, cursor, placedAt }: LiveAsk & { type: "attach" }): void {
    clearTimeout(this.#linger);
    this.#ports.add(port);
    if (this.#completeSince === Number.POSITIVE_INFINITY && this.#connection.cursor === "" && cursor !== "") {
      this.#connection.cursor = cursor;
      this.#completeSince = placedAt;
    } else if (since < this.#completeSince) this.#behind.add(port);
    else for (const { at, news } of this.#news) if (at >= since) port.postMessage(news);
    port.postMessage({ type: "state", state: this.#connection.state });
    if (this.#connection.state === "live") this.#catchUp();
    this.#connection.start();
  }

  #detach(port: LivePort): void {
    this.#ports.delete(port);
    this.#behind.delete(port);
    if (this.#ports.size > 0) return;
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => this.#connection.stop(), lingerMs);
  }

  #tell(news: LiveNews): void {
    if (news.type === "changes") this.#keep(news);
    if (news.type === "reload") this.#forget();
    for (const port of this.#ports) port.postMessage(news);
    if (news.type === "state" && news.state === "live") this.#catchUp();
  }

  #catchUp(): void {
    this.#completeSince = Math.min(this.#completeSince, Date.now());
    for (const port of this.#behind) port.postMessage({ type: "reload" });
    this.#behind.clear();
  }

  #keep(news: LiveNews & { type: "changes" }): void {
    this.#news.push({ at: Date.now(), news });
    this.#letters += news.text.length;
    while (this.#news.length > kept.messages || this.#letters > kept.letters) {
      const dropped = this.#news.shift();
      if (dropped === undefined) return;
      this.#letters -= dropped.news.text.length;
      this.#completeSince = Math.max(this.#completeSince, dropped.at + 1);
    }
  }

  #forget(): void {
    this.#news = [];
    this.#letters = 0;
    this.#completeSince = Date.now();
    // All tabs are told to ask anew at this moment.
    this.#behind.clear();
  }
}
