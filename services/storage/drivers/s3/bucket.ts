// One bucket, asked within limits: every question ends in bounded time, whatever S3 does. Knows requests, and nothing of
// what pieces are made of.

import { S3Client } from "@aws-sdk/client-s3";
import { activeSpan, type LiveSpan, traced } from "@docket/runtime/telemetry/span";
import { translated } from "./faults.ts";
import type { S3Location } from "./url.ts";

/** Keys that were given in so many words; without them the SDK looks where it always does. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** How long S3 may take, in milliseconds. */
export interface S3Patience {
  /** For a connection. */
  readonly connectMs: number;
  /** Without a byte on a connection. */
  readonly silentMs: number;
  /** For a question, tries again included. */
  readonly askMs: number;
  /** For a part of 8 MiB, tries again included. */
  readonly partMs: number;
}

export const defaultPatience: S3Patience = { connectMs: 3000, silentMs: 6000, askMs: 15_000, partMs: 30_000 };

/** Tries of a request; more would come too late for whoever waits. */
const attempts = 3;

type Question<T> = (client: S3Client, options: { readonly abortSignal: AbortSignal }) => Promise<T>;

interface AskLimits {
  readonly longestMs?: number;
  readonly signal?: AbortSignal;
}

/** Connections at once. Readers keep none for longer than they read. */
const connections = 256;

export class Bucket {
  readonly name: string;
  readonly location: S3Location;
  readonly patience: S3Patience;
  readonly #client: S3Client;
  /** The spans of questions, which alone may be renamed. */
  readonly #asking = new WeakSet<LiveSpan>();

  constructor(location: S3Location, credentials: S3Credentials | undefined, patience: S3Patience) {
    const { endpoint, pathStyle } = location;
    // Servers other than Amazon's take any region, but a request is signed for one.
    const region = location.region ?? (endpoint === undefined ? undefined : "us-east-1");
    this.location = location;
    this.patience = patience;
    this.name = location.bucket;
    this.#client = new S3Client({
      ...(region === undefined ? {} : { region }),
      ...(endpoint === undefined ? {} : { endpoint: endpoint.href }),
      ...(credentials === undefined ? {} : { credentials }),
      forcePathStyle: pathStyle,
      maxAttempts: attempts,
      // Checksums are given and compared by us; the SDK would take another one of the same bytes.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      requestHandler: {
        connectionTimeout: patience.connectMs,
        socketTimeout: patience.silentMs,
        httpAgent: { keepAlive: true, maxSockets: connections },
        httpsAgent: { keepAlive: true, maxSockets: connections },
      },
    });
    // The name of the command, and nothing of what is asked.
    this.#client.middlewareStack.add(
      (next, context) => (request) => {
        const { commandName = "" } = context as { commandName?: string };
        const name = commandName.replace(/Command$/, "");
        const span = activeSpan();
        if (span !== undefined && this.#asking.has(span)) {
          span.rename(`S3 ${name}`);
          span.set({ "rpc.method": `S3/${name}` });
        }
        return next(request);
      },
      { step: "initialize", name: "docketTrace" },
    );
  }

  /** Where a sealed piece is. The last characters of an id are random, so that keys spread over S3's partitions. */
  keyOf(id: string): string {
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) {
      throw new TypeError("a piece's id must be a UUID in lower case");
    }
    return `${this.piecesPrefix}${id.slice(-2)}/${id}`;
  }

  get piecesPrefix(): string {
    return `${this.location.prefix}pieces/`;
  }

  /** Asks S3 one question. Rejects with what translated() makes of it, after `longestMs` at the latest. */
  ask<T>(question: Question<T>, limits: AskLimits = {}): Promise<T> {
    // Which question it is, the client tells: see the constructor.
    return traced("S3", "client", { "rpc.system.name": "aws-api" }, (span) => {
      if (span !== undefined) this.#asking.add(span);
      return this.#ask(question, limits);
    });
  }

  async #ask<T>(question: Question<T>, { longestMs = this.patience.askMs, signal }: AskLimits): Promise<T> {
    // Not AbortSignal.timeout: an answer's body may be read for longer than the answer may take to begin.
    const over = new AbortController();
    const late = setTimeout(() => over.abort(), longestMs);
    try {
      const abortSignal = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
      return await question(this.#client, { abortSignal });
    } catch (cause) {
      throw translated(cause);
    } finally {
      clearTimeout(late);
    }
  }

  /** Encryption as requests that make objects say it. */
  get encryption() {
    const { encryption } = this.location;
    if (encryption === undefined) return {};
    const { mode, keyId } = encryption;
    return { ServerSideEncryption: mode, ...(keyId === undefined ? {} : { SSEKMSKeyId: keyId }) };
  }

  close(): void {
    this.#client.destroy();
  }
}
