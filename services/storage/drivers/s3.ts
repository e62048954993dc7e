// Pieces as objects of an S3 bucket: `<prefix>pieces/<two letters>/<id>`, seen by nobody before they are whole. Several
// processes may use one bucket at once; none of them has it for itself.

import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandInput,
  type ListMultipartUploadsCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
} from "@aws-sdk/client-s3";
import type { BlobDriver, CreateOptions, PieceInfo, PieceReader, PieceWriter } from "./driver.ts";
import { Bucket, defaultPatience, type S3Credentials, type S3Patience } from "./s3/bucket.ts";
import { PartMemory } from "./s3/memory.ts";
import { probe } from "./s3/probe.ts";
import { S3Reader } from "./s3/reader.ts";
import { parseS3Url } from "./s3/url.ts";
import { S3Writer } from "./s3/writer.ts";

/** What the URL does not say. */
export interface S3Options {
  /** Undefined: as the AWS SDK finds them (a role of the pod or the machine, its shared files). */
  readonly credentials?: S3Credentials | undefined;
  /** Whether the endpoint may be another machine's over plain http. */
  readonly allowPlaintext?: boolean;
  /** How many bytes of parts may be in memory on their way out. */
  readonly partMemoryBytes?: number;
  /** How long S3 may take; tests are shorter of it. */
  readonly patience?: S3Patience;
}

const defaultPartMemoryBytes = 96 * 1024 * 1024;

/**
 * Opens a bucket as a place for bytes. It must exist, and keep every promise that pieces rest on: that is tried out first.
 * Throws ConfigError for the URL and StartError for the bucket, each with one sentence that names BLOB_URL.
 */
export async function openS3(
  url: string,
  { credentials, allowPlaintext = false, partMemoryBytes = defaultPartMemoryBytes, patience }: S3Options = {},
  { shared = false }: { readonly shared?: boolean } = {},
): Promise<BlobDriver> {
  const bucket = new Bucket(parseS3Url(url, { allowPlaintext }), credentials, patience ?? defaultPatience);
  try {
    if (!shared) await probe(bucket);
    return new S3Driver(bucket, new PartMemory(partMemoryBytes));
  } catch (fault) {
    bucket.close();
    throw fault;
  }
}

class S3Driver implements BlobDriver {
  readonly exclusive = false;
  readonly gathers = true;
  readonly #bucket: Bucket;
  readonly #memory: PartMemory;

  constructor(bucket: Bucket, memory: PartMemory) {
    this.#bucket = bucket;
    this.#memory = memory;
  }

  async create(id: string, options: CreateOptions = {}): Promise<PieceWriter> {
    return new S3Writer(this.#bucket, this.#memory, this.#bucket.keyOf(id), options);
  }

  async open(id: string): Promise<PieceReader> {
    return new S3Reader(this.#bucket, this.#bucket.keyOf(id));
  }

  async remove(id: string): Promise<void> {
    const place = { Bucket: this.#bucket.name, Key: this.#bucket.keyOf(id) };
    await this.#bucket.ask((client, options) => client.send(new DeleteObjectCommand(place), options));
  }

  async *list(): AsyncGenerator<PieceInfo> {
    const place = { Bucket: this.#bucket.name, Prefix: this.#bucket.piecesPrefix };
    const pageAfter = (ContinuationToken: string | undefined): Promise<ListObjectsV2CommandOutput> =>
      this.#bucket.ask((client, options) =>
        client.send(new ListObjectsV2Command({ ...place, ContinuationToken }), options),
      );
    let from: string | undefined;
    do {
      const page = await pageAfter(from);
      for (const { Key = "", Size = 0, LastModified } of page.Contents ?? []) {
        const id = this.#idOf(Key);
        if (id !== undefined) yield { id, size: Size, modifiedAt: LastModified?.getTime() ?? Date.now() };
      }
      from = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (from !== undefined);
  }

  /** Other processes write into the bucket as well: only what none of them can still be writing is given up. */
  async discardUnsealed(before: number): Promise<number> {
    const place = { Bucket: this.#bucket.name, Prefix: this.#bucket.piecesPrefix };
    let count = 0;
    type Marker = Pick<ListMultipartUploadsCommandInput, "KeyMarker" | "UploadIdMarker">;
    const pageAfter = (from: Marker): Promise<ListMultipartUploadsCommandOutput> =>
      this.#bucket.ask((client, options) =>
        client.send(new ListMultipartUploadsCommand({ ...place, ...from }), options),
      );
    let marker: Marker | undefined = {};
    while (marker !== undefined) {
      const page = await pageAfter(marker);
      for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
        if (Initiated === undefined || Initiated.getTime() >= before) continue;
        const upload = { Bucket: this.#bucket.name, Key, UploadId };
        await this.#bucket.ask((client, options) => client.send(new AbortMultipartUploadCommand(upload), options));
        count += 1;
      }
      const { IsTruncated, NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
      marker = IsTruncated ? { KeyMarker, UploadIdMarker } : undefined;
    }
    return count;
  }

  /** A bucket has no end that could be asked for. */
  async free(): Promise<number> {
    return Number.POSITIVE_INFINITY;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#bucket.close();
  }

  /** Undefined for keys that are none of ours. */
  #idOf(key: string): string | undefined {
    const id = key.slice(-36);
    return /^[0-9a-f-]{36}$/.test(id) && this.#bucket.keyOf(id) === key ? id : undefined;
  }
}
