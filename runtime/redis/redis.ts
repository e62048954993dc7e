// Redis, which all replicas share: hot copies, counters and wake-ups, nothing that must be kept. Losing it costs speed
// and nothing else, so nothing here throws when it is away: callers get `undefined` and say what they do without it. It
// must never know what is kept, and nobody but this file knows the client library.

import { createHash } from "node:crypto";
import { Redis as Client } from "ioredis";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { traced } from "../telemetry/span.ts";
import { type RedisConfig, type RedisLocation, redisLocation } from "./location.ts";
import { type Absence, whyAway } from "./why_away.ts";

/** A Lua script, which Redis runs as one step. Make one with {@link script}. */
export interface Script {
  readonly source: string;
  readonly digest: string;
}

/** What Redis answers: texts, whole numbers, nothing, or a list of these. */
export type Reply = string | number | null | readonly Reply[];

/** Redis, or the lack of it. Disposing of it closes the connection. */
export interface Redis extends AsyncDisposable {
  /** Whether it can be used at the moment. */
  readonly connected: boolean;
  /** What every key and channel begins with, with the version of their layout. */
  readonly prefix: string;
  /**
   * Runs a script with keys and values. Undefined when Redis is away, does not answer in a quarter of a second, or
   * refuses; then it may have run all the same, now or later. Never throws.
   */
  run(script: Script, keys: readonly string[], values: readonly (string | number)[]): Promise<Reply | undefined>;
  /** Tells everybody who subscribes to a channel; when Redis is away, nobody. */
  publish(channel: string, message: string): void;
  /** Calls `hear` for each message of a channel until disposed. Messages are lost while Redis is away. */
  subscribe(channel: string, hear: (message: string) => void): Disposable;
}

/** With the layout of keys this number goes up, so that two releases never read each other's. */
const LAYOUT = "v1:";

/** How long a command may take. Redis on a network answers in under a millisecond. */
const ANSWER_MS = 250;
/** How long connecting and greeting may take, and a sign of life after an answer that did not come. */
const GREETING_MS = 1_000;
/** How often it is looked for while it is away, and asked for a sign of life while it is there. */
const RETRY_MS = 300;
const HEARTBEAT_MS = 1_000;
/** How often refusals of the same kind are told. */
const REFUSAL_LOG_MS = 60_000;

/** Declares a script. */
export function script(source: string): Script {
  return { source, digest: createHash("sha1").update(source).digest("hex") };
}

/**
 * Opens Redis, or gives undefined where none is set. Does not wait for the connection: until it stands, and whenever it
 * breaks, Redis is away. Throws ConfigError when the settings are wrong.
 */
export function openRedis(config: RedisConfig, logger: Logger, metrics?: Metrics): Redis | undefined {
  const location = redisLocation(config);
  if (location === undefined) return undefined;
  const connection = new Connection(location, `${config.prefix}${LAYOUT}`, logger);
  metrics?.gauge("docket.redis.connected", { unit: "", description: "1 while Redis is used." }, () => [
    { value: connection.connected ? 1 : 0 },
  ]);
  return connection;
}

const attempt = script("redis.call('SET', KEYS[1], '') return redis.call('DEL', KEYS[1])");

/** What is told of a command. */
const told = { "db.system.name": "redis", "db.operation.name": "EVALSHA" };

class Connection implements Redis {
  readonly prefix: string;
  readonly #client: Client;
  readonly #logger: Logger;
  readonly #encrypted: boolean;
  readonly #channels = new Map<string, Set<(message: string) => void>>();
  readonly #heartbeat: NodeJS.Timeout;
  readonly #giveUp = new Set<() => void>();
  /** Ends a connection on which nothing is heard. */
  #patience: NodeJS.Timeout | undefined;
  #lastError: unknown;
  #connected = false;
  #greeted = false;
  #ended = false;
  #absence: (Absence & { readonly since: number }) | undefined;
  #refusal: { readonly kind: string; readonly at: number } | undefined;

  constructor(location: RedisLocation, prefix: string, logger: Logger) {
    this.prefix = prefix;
    this.#logger = logger;
    this.#encrypted = location.tls !== undefined;
    this.#client = new Client({
      host: location.host,
      port: location.port,
      db: location.database,
      ...(location.username === undefined ? {} : { username: location.username }),
      ...(location.password === undefined ? {} : { password: location.password }),
      ...(location.tls === undefined ? {} : { tls: location.tls }),
      connectionName: "docket",
      lazyConnect: true,
      // Nothing waits for Redis to come back: what it cannot do now is done without it.
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      autoResubscribe: false,
      connectTimeout: GREETING_MS,
      // A farewell needs no answer, and must not keep a process alive.
      disconnectTimeout: 1,
      retryStrategy: () => RETRY_MS + Math.random() * RETRY_MS,
    });
    this.#listen();
    this.#client.connect().catch(() => undefined);
    this.#heartbeat = setInterval(() => void this.#ask(() => this.#client.ping()), HEARTBEAT_MS).unref();
  }

  get connected(): boolean {
    return this.#connected;
  }

  run({ source, digest }: Script, keys: readonly string[], values: readonly (string | number)[]) {
    const evaluate = async (): Promise<Reply> => {
      const parameters = [...keys, ...values];
      try {
        return (await this.#client.evalsha(digest, keys.length, ...parameters)) as Reply;
      } catch (error) {
        if (!(error as Error).message?.startsWith("NOSCRIPT")) throw error;
        return (await this.#client.eval(source, keys.length, ...parameters)) as Reply;
      }
    };
    if (!this.#connected) return this.#ask(evaluate);
    // Never a key or a value: they name people and sessions.
    return traced("EVALSHA", "client", told, async (span) => {
      const reply = await this.#ask(evaluate);
      if (reply === undefined) span?.fail("away");
      return reply;
    });
  }

  publish(channel: string, message: string): void {
    void this.#ask(() => this.#client.publish(this.prefix + channel, message));
  }

  subscribe(channel: string, hear: (message: string) => void): Disposable {
    const name = this.prefix + channel;
    const known = this.#channels.get(name);
    const listeners = known ?? new Set();
    this.#channels.set(name, listeners.add(hear));
    if (known === undefined) void this.#ask(() => this.#client.subscribe(name));
    return { [Symbol.dispose]: () => void listeners.delete(hear) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    clearInterval(this.#heartbeat);
    clearTimeout(this.#patience);
    this.#lose();
    this.#client.disconnect();
    this.#hangUp();
  }

  #listen(): void {
    const client = this.#client;
    client.on("error", (error) => {
      this.#lastError = error;
    });
    client.on("connecting", () => {
      this.#greeted = false;
      this.#lastError = undefined;
      // A frozen server takes connections and says nothing.
      clearTimeout(this.#patience);
      this.#patience = setTimeout(() => {
        this.#lastError = Object.assign(new Error("no greeting"), { code: "ETIMEDOUT" });
        this.#hangUp();
      }, GREETING_MS).unref();
    });
    client.on("ready", () => void this.#try());
    client.on("close", () => {
      clearTimeout(this.#patience);
      if (!this.#ended) this.#gone();
    });
    client.on("message", (channel: string, message: string) => {
      for (const hear of this.#channels.get(channel) ?? []) this.#deliver(hear, message);
    });
  }

  /** A server that greets but cannot be written, such as a replica, is no help, nor one that listens or answers only. */
  async #try(): Promise<void> {
    const channels = [...this.#channels.keys()];
    try {
      await this.#client.subscribe(`${this.prefix}attempt`, ...channels);
      await this.#client.eval(attempt.source, 1, `${this.prefix}attempt`);
    } catch (error) {
      this.#lastError ??= error;
      this.#hangUp();
      return;
    }
    clearTimeout(this.#patience);
    if (this.#ended) return;
    this.#found();
    const late = [...this.#channels.keys()].filter((channel) => !channels.includes(channel));
    if (late.length > 0) void this.#ask(() => this.#client.subscribe(...late));
  }

  /** What others sent must not end this process. */
  #deliver(hear: (message: string) => void, message: string): void {
    try {
      hear(message);
    } catch (error) {
      this.#logger.warn({ err: error }, "a message of another replica cannot be read");
    }
  }

  #found(): void {
    this.#connected = true;
    this.#greeted = true;
    this.#lastError = undefined;
    if (this.#absence === undefined) {
      this.#logger.info("Redis is used");
    } else {
      this.#logger.info({ away_ms: Math.round(performance.now() - this.#absence.since) }, "Redis is back");
      this.#absence = undefined;
    }
  }

  #gone(): void {
    this.#lose();
    const absence = whyAway(this.#lastError, { encrypted: this.#encrypted, greeted: this.#greeted });
    const since = this.#absence?.since ?? performance.now();
    // One line for each absence, and one more when it turns out that somebody must change a setting.
    const news = this.#absence === undefined || (absence.misconfigured && absence.why !== this.#absence.why);
    if (!news) return;
    this.#absence = { ...absence, since };
    const level = absence.misconfigured ? "error" : "warn";
    this.#logger[level]({ why: absence.why }, "Redis is away; everything works without it, only slower");
  }

  /** Nobody waits any longer. */
  #lose(): void {
    this.#connected = false;
    for (const giveUp of [...this.#giveUp]) giveUp();
  }

  /** Ends the connection at once; the client then looks for a new one. */
  #hangUp(): void {
    this.#client.stream?.destroy();
  }

  /** Asks something, if Redis is there, and waits a little. */
  async #ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    if (!this.#connected) return undefined;
    const { promise: gaveUp, resolve } = Promise.withResolvers<undefined>();
    const giveUp = () => resolve(undefined);
    this.#giveUp.add(giveUp);
    const timer = setTimeout(() => {
      // After a pause of this process the answer may lie in the socket, unread: that is read first.
      setImmediate(() => this.#giveUp.has(giveUp) && this.#silent());
    }, ANSWER_MS);
    try {
      return await Promise.race([question(), gaveUp]);
    } catch (error) {
      this.#refused(error as Error);
      return undefined;
    } finally {
      clearTimeout(timer);
      this.#giveUp.delete(giveUp);
    }
  }

  /**
   * One answer that does not come is enough: whoever asks next is not kept waiting. Whether it is only slow, or gone, is
   * found out while nobody waits.
   */
  #silent(): void {
    if (!this.#connected) return;
    this.#lose();
    clearTimeout(this.#patience);
    const { stream } = this.#client;
    this.#patience = setTimeout(() => {
      setImmediate(() => {
        if (this.#connected || this.#client.stream !== stream) return;
        this.#lastError = new Error("it does not answer");
        this.#hangUp();
      });
    }, GREETING_MS).unref();
    this.#client.ping().then(
      () => {
        if (this.#ended || this.#client.stream !== stream) return;
        clearTimeout(this.#patience);
        this.#connected = true;
      },
      // Broken off: that is told of where it is noticed.
      () => undefined,
    );
  }

  #refused(error: Error): void {
    // Broken off with the connection, which tells of itself.
    if (!this.#connected) return;
    const [kind = ""] = error.message.split(" ", 1);
    if (/^(READONLY|LOADING|MASTERDOWN|NOAUTH)$/.test(kind)) {
      // After a failover another server may answer at this address.
      this.#lastError = error;
      this.#lose();
      this.#hangUp();
      return;
    }
    const now = performance.now();
    if (this.#refusal?.kind === kind && now - this.#refusal.at < REFUSAL_LOG_MS) return;
    this.#refusal = { kind, at: now };
    this.#logger.warn({ err: error }, "Redis refuses a command");
  }
}
