// Reads pieces from a bucket. Who reads on where the last read ended gets larger and larger ranges of which the rest
// waits in the connection, so that requests are few; who reads here and there gets what was asked for, and no more.

import type { Readable } from "node:stream";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { type PieceReader, StoreUnavailable } from "../driver.ts";
import type { Bucket } from "./bucket.ts";
import { isBeyondEnd, translated } from "./faults.ts";

/** The largest range that is asked for at once. */
const largestRange = 8 * 1024 * 1024;

/** So long a connection waits for a reader's next read, in milliseconds. */
const idleMs = 2000;

/** Tries of a read whose connection breaks. */
const attempts = 3;

export class S3Reader implements PieceReader {
  readonly #bucket: Bucket;
  readonly #key: string;
  #range: OpenRange | undefined;
  #idle: NodeJS.Timeout | undefined;
  /** Where the last read ended, and how much its range had. */
  #next = -1;
  #lastRange = 0;

  constructor(bucket: Bucket, key: string) {
    this.#bucket = bucket;
    this.#key = key;
  }

  async read(target: Uint8Array, offset: number): Promise<number> {
    const deadline = performance.now() + this.#bucket.patience.askMs;
    let filled = 0;
    for (let attempt = 1; ; attempt += 1) {
      try {
        while (filled < target.byteLength) {
          const got = await this.#fill(target.subarray(filled), offset + filled, deadline);
          if (got === undefined) return filled;
          filled += got;
        }
        return filled;
      } catch (cause) {
        const fault = translated(cause);
        if (fault.name !== "StoreUnavailable" || attempt === attempts || performance.now() > deadline) throw fault;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#forget();
  }

  /** Bytes from there on, as many as one range has; undefined at the piece's end. */
  async #fill(target: Uint8Array, offset: number, deadline: number): Promise<number | undefined> {
    // Taken out while it is read, so that another read at once opens a range of its own.
    const known = this.#range?.position === offset ? this.#range : undefined;
    if (known !== undefined) {
      clearTimeout(this.#idle);
      this.#range = undefined;
    }
    const range = known ?? (await this.#open(offset, target.byteLength));
    if (range === undefined) return undefined;
    const got = await range.read(target, deadline);
    this.#next = offset + got;
    if (range.left > 0) this.#keep(range);
    return got;
  }

  async #open(offset: number, wanted: number): Promise<OpenRange | undefined> {
    this.#forget();
    const length = offset === this.#next ? Math.max(wanted, Math.min(largestRange, 2 * this.#lastRange)) : wanted;
    this.#lastRange = length;
    const Range = `bytes=${offset}-${offset + length - 1}`;
    try {
      const { Body, ContentLength } = await this.#bucket.ask((client, options) =>
        client.send(new GetObjectCommand({ Bucket: this.#bucket.name, Key: this.#key, Range }), options),
      );
      if (Body === undefined || ContentLength === undefined) throw new StoreUnavailable("S3 answered without a body");
      return new OpenRange(Body as Readable, offset, ContentLength);
    } catch (fault) {
      if (isBeyondEnd(fault)) return undefined;
      throw fault;
    }
  }

  #keep(range: OpenRange): void {
    this.#forget();
    this.#range = range;
    this.#idle = setTimeout(() => this.#forget(), idleMs).unref();
  }

  #forget(): void {
    clearTimeout(this.#idle);
    this.#range?.close();
    this.#range = undefined;
  }
}

/** A range that is being received. */
class OpenRange {
  position: number;
  /** Bytes that are still to come. */
  left: number;
  readonly #body: Readable;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(body: Readable, position: number, length: number) {
    this.#body = body;
    // A connection that breaks while nobody reads is met at the next read.
    body.on("error", () => undefined);
    this.#chunks = body.iterator({ destroyOnReturn: false });
    this.position = position;
    this.left = length;
  }

  /** Fills the target, or as much of it as the range has. */
  async read(target: Uint8Array, deadline: number): Promise<number> {
    const wanted = Math.min(target.byteLength, this.left);
    const late = setTimeout(() => this.close(), Math.max(0, deadline - performance.now()));
    try {
      let filled = 0;
      while (filled < wanted) {
        if (this.#rest.byteLength === 0) {
          const chunk = await this.#chunks.next();
          if (chunk.done) throw new StoreUnavailable("S3 ended its answer too early");
          this.#rest = chunk.value;
        }
        const part = this.#rest.subarray(0, wanted - filled);
        target.set(part, filled);
        this.#rest = this.#rest.subarray(part.byteLength);
        filled += part.byteLength;
      }
      this.position += wanted;
      this.left -= wanted;
      // Read to its end, the connection serves the next request.
      if (this.left === 0) await this.#chunks.next();
      return wanted;
    } catch (cause) {
      this.close();
      throw translated(cause);
    } finally {
      clearTimeout(late);
    }
  }

  close(): void {
    this.#body.destroy(new StoreUnavailable("S3 stopped sending"));
  }
}
