// A storage service in memory, as far as the contract of appending uploads, pieces and reads goes.

import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { TransferService, type WriteBlobRequest } from "@docket/contracts/gen/docket/storage/v1/transfer_service_pb.ts";
import {
  type Checksum,
  ChecksumAlgorithm,
  UploadFailure,
  UploadState,
} from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import { UploadService } from "@docket/contracts/gen/docket/storage/v1/upload_service_pb.ts";
import { UsageService } from "@docket/contracts/gen/docket/storage/v1/usage_service_pb.ts";
import { callOf, subjectOf } from "@docket/runtime/call";
import { AppError, notFound } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import type { FakeDocuments } from "./document.ts";
import { partly } from "./partial_service.ts";

export interface FakeUpload {
  readonly id: string;
  readonly ownerId: string;
  readonly workspaceId: string;
  readonly name: string;
  readonly mediaType: string;
  readonly partial: boolean;
  size: bigint | undefined;
  bytes: Buffer;
  state: UploadState;
  failure: UploadFailure;
  writer: AbortController | undefined;
}

const chunkBytes = 64 * 1024;

export class FakeStorage {
  readonly uploads = new Map<string, FakeUpload>();
  /** The largest message that came. */
  largestChunk = 0;
  readsCancelled = 0;
  /** Ends the next reads with RESUME after so many bytes. */
  readonly breakAfter: number[] = [];
  /** Chunks given out by reads so far. */
  chunksRead = 0;
  readonly #documents: FakeDocuments;

  constructor(documents: FakeDocuments) {
    this.#documents = documents;
  }

  services() {
    return [
      partly(UsageService, { getLimits: async () => ({ maxFileBytes: 100_000_000n }) }),
      partly(UploadService, {
        createUpload: async ({ workspaceId, name, mediaType, size }, context) =>
          this.#answer(this.#make({ ownerId: subjectOf(context).id, workspaceId, name, mediaType, size })),
        createPartialUpload: async ({ size }, context) =>
          this.#answer(this.#make({ ownerId: subjectOf(context).id, size, partial: true })),
        concatenateUploads: async ({ workspaceId, name, mediaType, partIds }, context) => {
          const ownerId = subjectOf(context).id;
          const parts = partIds.map((id) => this.#find(id, ownerId));
          const bytes = Buffer.concat(parts.map((part) => part.bytes));
          for (const part of parts) part.state = UploadState.CONCATENATED;
          return this.#answer(this.#make({ ownerId, workspaceId, name, mediaType, size: BigInt(bytes.length), bytes }));
        },
        getUpload: async ({ uploadId }, context) => this.#answer(this.#find(uploadId, subjectOf(context).id)),
        completeUpload: async ({ uploadId }, context) => {
          const upload = this.#find(uploadId, subjectOf(context).id);
          upload.state = UploadState.STORED;
          return this.#answer(upload);
        },
        abortUpload: async ({ uploadId }, context) => {
          const upload = this.#find(uploadId, subjectOf(context).id);
          upload.state = UploadState.FAILED;
          upload.failure = UploadFailure.ABORTED;
          return this.#answer(upload);
        },
      }),
      partly(TransferService, {
        writeBlob: async (requests, context) => await this.#write(requests, subjectOf(context).id),
        readBlob: ({ ticket, offset, length }, context) =>
          this.#read(ticket, Number(offset), length === undefined ? undefined : Number(length), callOf(context).signal),
      }),
    ];
  }

  #make(upload: Partial<FakeUpload>): FakeUpload {
    const made: FakeUpload = {
      id: newId(),
      ownerId: "",
      workspaceId: "",
      name: "",
      mediaType: "",
      partial: false,
      size: undefined,
      bytes: Buffer.alloc(0),
      state: UploadState.RECEIVING,
      failure: UploadFailure.UNSPECIFIED,
      writer: undefined,
      ...upload,
    };
    this.uploads.set(made.id, made);
    return made;
  }

  #find(id: string, ownerId: string): FakeUpload {
    const upload = this.uploads.get(id);
    if (upload?.ownerId !== ownerId) throw notFound("upload", id);
    return upload;
  }

  #answer({ bytes, size, writer: _, ...upload }: FakeUpload) {
    const length = BigInt(bytes.length);
    const known = size === undefined ? {} : { size };
    return {
      upload: {
        ...upload,
        ...known,
        offset: length,
        receivedBytes: length,
        expireTime: timestampFromMs(Date.now() + 3_600_000),
      },
    };
  }

  async #write(requests: AsyncIterable<WriteBlobRequest>, ownerId: string) {
    let upload: FakeUpload | undefined;
    let checksum: Checksum | undefined;
    let held = Buffer.alloc(0);
    const mine = new AbortController();
    for await (const { part } of requests) {
      if (mine.signal.aborted) throw new AppError(Reason.UPLOAD_SUPERSEDED);
      if (part.case === "start") {
        upload = this.#find(part.value.uploadId, ownerId);
        upload.writer?.abort();
        upload.writer = mine;
        checksum = part.value.checksum;
        upload.size ??= part.value.size;
        if (Number(part.value.offset) !== upload.bytes.length) {
          throw new AppError(Reason.UPLOAD_OFFSET_CONFLICT, { metadata: { offset: String(upload.bytes.length) } });
        }
      } else if (part.case === "chunk" && upload !== undefined) {
        this.largestChunk = Math.max(this.largestChunk, part.value.length);
        held = Buffer.concat([held, part.value]);
        if (checksum === undefined) held = this.#keep(upload, held);
      }
    }
    if (upload === undefined) throw new AppError(Reason.MALFORMED);
    if (checksum !== undefined && !digestOf(checksum.algorithm, held).equals(checksum.value)) {
      throw new AppError(Reason.CHECKSUM_MISMATCH, { metadata: { algorithm: String(checksum.algorithm) } });
    }
    this.#keep(upload, held);
    return { offset: BigInt(upload.bytes.length), ...this.#answer(upload) };
  }

  #keep(upload: FakeUpload, bytes: Buffer): Buffer<ArrayBuffer> {
    const all = Buffer.concat([upload.bytes, bytes]);
    if (upload.size !== undefined && BigInt(all.length) > upload.size) {
      throw new AppError(Reason.UPLOAD_SIZE_EXCEEDED, { metadata: { size: String(upload.size) } });
    }
    upload.bytes = all;
    return Buffer.alloc(0);
  }

  async *#read(ticket: string, offset: number, length: number | undefined, signal: AbortSignal) {
    const [documentId = "", number = "0"] = ticket.split("/");
    const version = this.#documents.find(documentId, Number(number));
    if (version === undefined) throw new AppError(Reason.TICKET_INVALID);
    const bytes = version.bytes.subarray(offset, length === undefined ? undefined : offset + length);
    const sha256 = createHash("sha256").update(version.bytes).digest();
    const breakAt = this.breakAfter.shift() ?? Number.POSITIVE_INFINITY;
    try {
      yield { part: { case: "header" as const, value: { sha256, size: BigInt(version.bytes.length) } } };
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        if (at >= breakAt) throw new AppError(Reason.RESUME);
        this.chunksRead += 1;
        yield { part: { case: "chunk" as const, value: bytes.subarray(at, at + chunkBytes) } };
      }
    } finally {
      if (signal.aborted) this.readsCancelled += 1;
    }
  }
}

function digestOf(algorithm: ChecksumAlgorithm, bytes: Buffer): Buffer {
  if (algorithm === ChecksumAlgorithm.CRC32) {
    const value = Buffer.alloc(4);
    value.writeUInt32BE(crc32(bytes));
    return value;
  }
  const names: Record<number, string> = {
    [ChecksumAlgorithm.MD5]: "md5",
    [ChecksumAlgorithm.SHA1]: "sha1",
    [ChecksumAlgorithm.SHA256]: "sha256",
  };
  return createHash(names[algorithm] ?? "sha256")
    .update(bytes)
    .digest();
}
