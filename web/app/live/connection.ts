// One stream of changes, kept open: it goes on from its cursor whatever happens to the network, waits longer each time
// that it fails, and ends only with the session. It speaks Connect in JSON by itself, so that it fits in a small worker.

import { Envelopes, endFlag, enveloped } from "./envelopes.ts";
import { type Refusal, reasons, refusalOf, unreached } from "./refusals.ts";

/** How the connection is. `lost`: for some seconds already. `ended`: nobody is signed in; `changed`: somebody else is. */
export type LiveState = "connecting" | "live" | "lost" | "ended" | "changed";

/** What is told of it. */
export type LiveNews =
  | { readonly type: "state"; readonly state: LiveState }
  /** A message with changes, as JSON, and the place after it. */
  | { readonly type: "changes"; readonly text: string; readonly cursor: string }
  /** Changes may have been missed: what is shown must be asked for anew. */
  | { readonly type: "reload" };

export interface ConnectionOptions {
  /** Who the changes are for. They are told to nobody else, whoever is signed in later. */
  readonly userId: string;
  readonly tell: (news: LiveNews) => void;
  readonly fetch: typeof fetch;
}

/** Times in milliseconds. */
const times = {
  /** A heartbeat is promised every 15 seconds. */
  silence: 40_000,
  /** How long the beginning of an answer may take. */
  answer: 15_000,
  /** How long it may be away before that is told; at first it may take longer. */
  grace: 3000,
  firstGrace: 10_000,
  backoff: { least: 500, most: 30_000 },
  /** What lived longer has begun well: the next failure is the first. */
  lived: 10_000,
  /** How often changes are asked for where a stream is refused, and how long that is done before one is tried again. */
  poll: 15_000,
  /** As that, where more is waiting. */
  soon: 100,
  pollFor: 300_000,
};

const services = {
  session: "/docket.user.v1.SessionService/GetSession",
  watch: "/docket.document.v1.ChangeService/WatchChanges",
  list: "/docket.document.v1.ChangeService/ListChanges",
};

/** What is read of an answer; the rest is the tabs' business. */
interface Message {
  readonly cursor?: string;
  readonly changes?: readonly unknown[];
  readonly more?: boolean;
}

class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super();
    this.refusal = refusal;
  }
}

export class Connection {
  readonly #options: ConnectionOptions;
  /** The place up to which everything was told. Empty: from now on. */
  cursor = "";
  #state: LiveState = "connecting";
  #running: AbortController | undefined;
  #attempt: AbortController | undefined;
  #heardAt = 0;
  #quietMs = times.answer;
  #triedAt = 0;
  #stopWaiting: (() => void) | undefined;
  /** Woken during an attempt: the next, if there is to be one, follows soon. */
  #woken = false;
  #graceTimer: ReturnType<typeof setTimeout> | undefined;
  /** Something may have been missed; told once it is live again. */
  #missed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get state(): LiveState {
    return this.#state;
  }

  /** Opens it, unless it is open or being opened. */
  start(): void {
    if (this.#running !== undefined) return;
    this.#running = new AbortController();
    this.#become("connecting");
    void this.#run(this.#running.signal);
  }

  stop(): void {
    this.#running?.abort();
    this.#running = undefined;
    this.#attempt?.abort();
    this.#stopWaiting?.();
    clearTimeout(this.#graceTimer);
    this.#graceTimer = undefined;
  }

  /** Something suggests that it would go well now: the network is back, the computer woke up, or a person asks. */
  wake(): void {
    const late = Math.max(0, this.#triedAt + times.backoff.least - Date.now());
    if (this.#stopWaiting !== undefined) setTimeout(this.#stopWaiting, late);
    else if (Date.now() - this.#heardAt > times.answer) this.#attempt?.abort();
    // One that is under way may have begun too early.
    else this.#woken = this.#state !== "live";
  }

  async #run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    this.#down(times.firstGrace);
    while (!signal.aborted) {
      this.#triedAt = Date.now();
      const { reason, retryAfterMs } = await this.#attemptOf((attempt) => this.#watch(attempt));
      if (signal.aborted) return;
      this.#down(times.grace);
      const lived = Date.now() - this.#triedAt > times.lived;
      failures = lived ? 0 : failures + 1;
      if (this.#ends(reason)) return;
      if (reason === reasons.cursorExpired || reason === reasons.cursorInvalid) {
        this.cursor = "";
        this.#missed = true;
      }
      if (reason === reasons.limitReached && (await this.#poll(signal))) return;
      const wait = reason === reasons.resume && lived ? Math.random() * 1000 : backoffOf(this.#woken ? 0 : failures);
      this.#woken = false;
      await this.#pause(Math.max(wait, retryAfterMs));
    }
  }

  /** Whether it is over; then it says so. */
  #ends(reason: number): boolean {
    const gone: readonly number[] = [reasons.sessionRequired, reasons.sessionInvalid, reasons.accountDisabled];
    if (reason !== changed && !gone.includes(reason)) return false;
    this.stop();
    this.#become(reason === changed ? "changed" : "ended");
    return true;
  }

  /** Runs one attempt under the eyes of a watchdog; gives the reason why it ended. */
  async #attemptOf(run: (signal: AbortSignal) => Promise<Refusal>): Promise<Refusal> {
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#heardAt = Date.now();
    this.#quietMs = times.answer;
    // By the clock on the wall, which goes on while the computer sleeps.
    const watchdog = setInterval(() => {
      if (Date.now() - this.#heardAt > this.#quietMs) attempt.abort();
    }, times.answer / 3);
    try {
      return await run(attempt.signal);
    } catch (error) {
      return error instanceof Refused ? error.refusal : unreached;
    } finally {
      clearInterval(watchdog);
      // Whatever still comes is no longer wanted.
      attempt.abort();
    }
  }

  async #watch(signal: AbortSignal): Promise<Refusal> {
    await this.#mustBeTheirs(signal);
    const answer = await this.#ask(services.watch, "application/connect+json", enveloped(this.#place()), signal);
    const reader = answer.body?.getReader();
    const envelopes = new Envelopes();
    for (;;) {
      const piece = await reader?.read();
      if (piece === undefined || piece.done) return unreached;
      this.#heardAt = Date.now();
      this.#quietMs = times.silence;
      for (const { flags, text } of envelopes.push(piece.value)) {
        const message = JSON.parse(text) as Message & { error?: unknown };
        if ((flags & endFlag) !== 0) return refusalOf(message.error);
        this.#take(message, text);
      }
    }
  }

  /** Asks now and then, as long as streams are refused; true when it is over for good. */
  async #poll(signal: AbortSignal): Promise<boolean> {
    const until = Date.now() + times.pollFor;
    while (!signal.aborted && Date.now() < until) {
      this.#triedAt = Date.now();
      let more = false;
      const { reason } = await this.#attemptOf(async (attempt) => {
        await this.#mustBeTheirs(attempt);
        const text = await (await this.#ask(services.list, "application/json", this.#place(), attempt)).text();
        const message = JSON.parse(text) as Message;
        this.#take(message, text);
        more = message.more ?? false;
        return { reason: reasons.resume, retryAfterMs: 0 };
      });
      if (signal.aborted) return true;
      if (this.#ends(reason)) return true;
      // What else went wrong is the stream's to find out.
      if (reason !== reasons.resume) return false;
      await this.#pause(more ? times.soon : times.poll * (0.75 + Math.random() / 2));
    }
    return signal.aborted;
  }

  /** Another account may have signed in since, in another tab: its changes are not told here. */
  async #mustBeTheirs(signal: AbortSignal): Promise<void> {
    const answer = await this.#ask(services.session, "application/json", "{}", signal);
    const { user } = (await answer.json()) as { user?: { id?: string } };
    if (user?.id !== this.#options.userId) throw new Refused({ reason: changed, retryAfterMs: 0 });
  }

  async #ask(path: string, type: string, body: BodyInit, signal: AbortSignal): Promise<Response> {
    const headers = { "content-type": type, "connect-protocol-version": "1" };
    const answer = await this.#options.fetch(path, { method: "POST", headers, body, signal });
    this.#heardAt = Date.now();
    if (answer.ok && answer.headers.get("content-type")?.startsWith(type)) return answer;
    throw new Refused(refusalOf(await answer.json().catch(() => undefined)));
  }

  #place(): string {
    return JSON.stringify(this.cursor === "" ? {} : { cursor: this.cursor });
  }

  #take({ cursor, changes = [] }: Message, text: string): void {
    if (typeof cursor !== "string") throw new Error("no message of changes");
    this.cursor = cursor;
    if (changes.length > 0) this.#options.tell({ type: "changes", text, cursor });
    clearTimeout(this.#graceTimer);
    this.#graceTimer = undefined;
    this.#become("live");
    if (this.#missed) this.#options.tell({ type: "reload" });
    this.#missed = false;
  }

  /** It is away; that is told when it stays so. */
  #down(graceMs: number): void {
    if (this.#state === "lost") return;
    this.#graceTimer ??= setTimeout(() => this.#become("lost"), graceMs);
  }

  #become(state: LiveState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.tell({ type: "state", state });
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((done) => {
      const timer = setTimeout(done, ms);
      this.#stopWaiting = () => {
        clearTimeout(timer);
        done();
      };
    });
    this.#stopWaiting = undefined;
  }
}

/** No reason of the contract's: the session is somebody else's. */
const changed = -1;

function backoffOf(failures: number): number {
  const { least, most } = times.backoff;
  return Math.min(most, least * 2 ** Math.max(0, failures - 1)) * (0.5 + Math.random() / 2);
}
