// A piece on its way into a bucket: one request where it fits into one part, a multipart upload otherwise. Nothing is seen
// under its key before seal() was acknowledged by S3, which has compared every byte with its SHA-256 by then.

import { createHash, type Hash } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { type CreateOptions, type PieceWriter, StoreUnavailable } from "../driver.ts";
import type { Bucket } from "./bucket.ts";
import { isTaken } from "./faults.ts";
import type { PartMemory, PartRoom } from "./memory.ts";

/** All parts but the last have this size; ten thousand of them, S3's limit, are more than the largest file. */
export const partBytes = 8 * 1024 * 1024;

/** Parts of one piece that are sent at once. */
const sentAtOnce = 4;

/** How long giving up may take: what is left then expires. */
const tidyMs = 3000;

type Plugin = Parameters<UploadPartCommand["middlewareStack"]["use"]>[0];

interface SentPart {
  readonly PartNumber: number;
  readonly ETag: string | undefined;
  readonly ChecksumSHA256: string;
}

/** The part that is being filled. */
interface Filling {
  readonly room: PartRoom;
  readonly hash: Hash;
  readonly bytes: Uint8Array[];
  length: number;
}

export class S3Writer implements PieceWriter {
  readonly #bucket: Bucket;
  readonly #memory: PartMemory;
  readonly #key: string;
  readonly #options: CreateOptions;
  readonly #given = new AbortController();
  readonly #sending = new Set<Promise<void>>();
  readonly #parts: SentPart[] = [];
  readonly #sums: Buffer[] = [];
  #filling: Filling | undefined;
  #taken = 0;
  #upload: Promise<string> | undefined;
  #fault: { readonly cause: unknown } | undefined;
  #state: "open" | "sealing" | "sealed" | "given up" = "open";

  constructor(bucket: Bucket, memory: PartMemory, key: string, options: CreateOptions) {
    this.#bucket = bucket;
    this.#memory = memory;
    this.#key = key;
    this.#options = options;
  }

  async write(bytes: readonly Uint8Array[]): Promise<void> {
    for (const array of bytes) {
      for (let from = 0; from < array.byteLength; ) {
        if (this.#fault !== undefined) throw this.#fault.cause;
        this.#filling ??= await this.#begin();
        const filling = this.#filling;
        const part = array.subarray(from, from + filling.room.bytes - filling.length);
        if (part.byteLength === 0) throw new TypeError("more bytes came than were expected");
        from += part.byteLength;
        filling.bytes.push(part);
        filling.hash.update(part);
        filling.length += part.byteLength;
        this.#taken += part.byteLength;
        if (filling.length === partBytes) await this.#send();
      }
    }
  }

  async seal(): Promise<void> {
    if (this.#fault !== undefined) throw this.#fault.cause;
    this.#state = "sealing";
    if (this.#sums.length === 0) await this.#put();
    else await this.#complete();
    this.#state = "sealed";
  }

  async discard(): Promise<void> {
    if (this.#state === "sealed" || this.#state === "given up") return;
    // A request to seal it may have been heard although its answer was not.
    const perhapsSealed = this.#state === "sealing";
    this.#state = "given up";
    this.#given.abort();
    this.#filling?.room.release();
    this.#filling = undefined;
    await Promise.all(this.#sending);
    const UploadId = await this.#upload?.catch(() => undefined);
    const place = { Bucket: this.#bucket.name, Key: this.#key };
    const tidy = { longestMs: tidyMs };
    await Promise.allSettled([
      UploadId !== undefined &&
        this.#bucket.ask(
          (client, options) => client.send(new AbortMultipartUploadCommand({ ...place, UploadId }), options),
          tidy,
        ),
      perhapsSealed &&
        this.#bucket.ask((client, options) => client.send(new DeleteObjectCommand(place), options), tidy),
    ]);
  }

  async #begin(): Promise<Filling> {
    const { expected = Number.POSITIVE_INFINITY, pressed = () => undefined } = this.#options;
    const left = expected - this.#taken;
    const room = await this.#memory.take(left > 0 ? Math.min(partBytes, left) : partBytes, pressed);
    return { room, hash: createHash("sha256"), bytes: [], length: 0 };
  }

  /** Sends the part that was filled; resolves when another one may be filled. */
  async #send(): Promise<void> {
    const filling = this.#filling;
    if (filling === undefined) return;
    this.#filling = undefined;
    filling.room.sending();
    const sum = filling.hash.digest();
    this.#sums.push(sum);
    const number = this.#sums.length;
    const body = Buffer.concat(filling.bytes, filling.length);
    filling.bytes.length = 0;
    const sending = this.#sendPart(number, body, sum)
      .catch((cause: unknown) => {
        this.#fault ??= { cause };
      })
      .finally(() => {
        filling.room.release();
        this.#sending.delete(sending);
      });
    this.#sending.add(sending);
    while (this.#sending.size >= sentAtOnce) await Promise.race(this.#sending);
  }

  async #sendPart(number: number, body: Buffer, sum: Buffer): Promise<void> {
    const { name, patience } = this.#bucket;
    this.#upload ??= this.#beginUpload();
    const UploadId = await this.#upload;
    const ChecksumSHA256 = sum.toString("base64");
    const command = new UploadPartCommand({
      Bucket: name,
      Key: this.#key,
      UploadId,
      PartNumber: number,
      Body: body,
      ContentLength: body.byteLength,
      ChecksumSHA256,
    });
    command.middlewareStack.use(payloadHash(sum));
    const { ETag } = await this.#bucket.ask((client, options) => client.send(command, options), {
      longestMs: patience.partMs,
      signal: this.#given.signal,
    });
    this.#parts.push({ PartNumber: number, ETag, ChecksumSHA256 });
  }

  async #beginUpload(): Promise<string> {
    const { UploadId } = await this.#bucket.ask((client, options) =>
      client.send(
        new CreateMultipartUploadCommand({
          Bucket: this.#bucket.name,
          Key: this.#key,
          ChecksumAlgorithm: "SHA256",
          ...this.#bucket.encryption,
        }),
        options,
      ),
    );
    if (UploadId === undefined) throw new StoreUnavailable("S3 began no multipart upload");
    return UploadId;
  }

  /** All of it in one request. */
  async #put(): Promise<void> {
    const filling = this.#filling;
    this.#filling = undefined;
    filling?.room.sending();
    const body = Buffer.concat(filling?.bytes ?? []);
    if (filling !== undefined) filling.bytes.length = 0;
    const sum = (filling?.hash ?? createHash("sha256")).digest();
    const { name, patience, encryption } = this.#bucket;
    const command = new PutObjectCommand({
      Bucket: name,
      Key: this.#key,
      Body: body,
      ContentLength: body.byteLength,
      ChecksumSHA256: sum.toString("base64"),
      IfNoneMatch: "*",
      ...encryption,
    });
    command.middlewareStack.use(payloadHash(sum) as unknown as Parameters<typeof command.middlewareStack.use>[0]);
    try {
      await this.#acknowledged(sum.toString("base64"), () =>
        this.#bucket.ask((client, options) => client.send(command, options), {
          longestMs: patience.partMs,
          signal: this.#given.signal,
        }),
      );
    } finally {
      filling?.room.release();
    }
  }

  async #complete(): Promise<void> {
    await this.#send();
    await Promise.all(this.#sending);
    if (this.#fault !== undefined) throw this.#fault.cause;
    const UploadId = await this.#upload;
    const Parts = this.#parts.toSorted((one, other) => one.PartNumber - other.PartNumber);
    // S3 makes the whole's checksum of the parts' checksums; whoever makes the same one has the same parts in order.
    const whole = createHash("sha256").update(Buffer.concat(this.#sums)).digest("base64");
    await this.#acknowledged(`${whole}-${Parts.length}`, () =>
      this.#bucket.ask(
        (client, options) =>
          client.send(
            new CompleteMultipartUploadCommand({
              Bucket: this.#bucket.name,
              Key: this.#key,
              UploadId,
              MultipartUpload: { Parts },
              IfNoneMatch: "*",
            }),
            options,
          ),
        { signal: this.#given.signal },
      ),
    );
  }

  /**
   * Sends the request that seals it, and compares the checksum that S3 answers. Where the key is taken, an earlier try of
   * the same request was heard and its answer lost: then S3 is asked what it has.
   */
  async #acknowledged(sum: string, request: () => Promise<{ readonly ChecksumSHA256?: string }>): Promise<void> {
    let answered: string | undefined;
    try {
      answered = (await request()).ChecksumSHA256;
    } catch (fault) {
      if (!isTaken(fault)) throw fault;
    }
    answered ??= await this.#keptSum();
    if (answered !== sum) throw new StoreUnavailable("S3 keeps other bytes than were sent");
  }

  async #keptSum(): Promise<string | undefined> {
    const { ChecksumSHA256 } = await this.#bucket.ask((client, options) =>
      client.send(
        new HeadObjectCommand({ Bucket: this.#bucket.name, Key: this.#key, ChecksumMode: "ENABLED" }),
        options,
      ),
    );
    return ChecksumSHA256;
  }
}

/** Signs a request with the hash of its body that is known already, which S3 compares with the body as well. */
function payloadHash(sum: Buffer): Plugin {
  return {
    applyToStack: (stack) =>
      stack.add(
        (next) => (work) => {
          const { headers } = work.request as { headers: Record<string, string> };
          headers["x-amz-content-sha256"] = sum.toString("hex");
          return next(work);
        },
        { step: "build", name: "knownPayloadHash" },
      ),
  };
}
