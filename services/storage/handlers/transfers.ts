// TransferService: bytes in and out.

import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { BlobHeaderSchema } from "@docket/contracts/gen/docket/storage/v1/blob_pb.ts";
import {
  ReadBlobResponseSchema,
  type TransferService,
  type WriteBlobRequest,
  WriteBlobResponseSchema,
  type WriteBlobStart,
} from "@docket/contracts/gen/docket/storage/v1/transfer_service_pb.ts";
import { type Checksum, ChecksumAlgorithm } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import { callOf, subjectOf } from "@docket/runtime/call";
import { AppError, invalidArgument } from "@docket/runtime/errors";
import type { Algorithm } from "../domain/checksum.ts";
import type { Ticket } from "../domain/ticket.ts";
import type { BlobRow } from "../store/blobs.ts";
import { digestBytes, uploadMessage } from "../store/upload_row.ts";
import { type ReadRange, resolveRange } from "../transfer/reader.ts";
import type { WriteSession } from "../transfer/write_session.ts";
import type { WriteStart } from "../transfer/writers.ts";
import type { HandlerDeps } from "./deps.ts";

const algorithms: Record<ChecksumAlgorithm, Algorithm | undefined> = {
  [ChecksumAlgorithm.UNSPECIFIED]: undefined,
  [ChecksumAlgorithm.CRC32]: "crc32",
  [ChecksumAlgorithm.MD5]: "md5",
  [ChecksumAlgorithm.SHA1]: "sha1",
  [ChecksumAlgorithm.SHA256]: "sha256",
};

export function transferHandlers(deps: HandlerDeps): ServiceImpl<typeof TransferService> {
  const { writers, reader, blobs, tickets } = deps;
  return {
    async writeBlob(requests, context) {
      const { signal } = callOf(context);
      const messages = requests[Symbol.asyncIterator]();
      try {
        const first = await messages.next();
        if (first.done || first.value.part.case !== "start") throw outOfOrder("the first message must be start");
        const start = startOf(first.value.part.value);
        return await writers.write(start, async (session) => {
          const end = await receive(session, messages, signal);
          const row = await session.finish(end && matching(end, start));
          return create(WriteBlobResponseSchema, { offset: BigInt(session.position), upload: uploadMessage(row) });
        });
      } finally {
        // Not awaited: a client that sends nothing must not hold back its answer.
        void messages.return?.()?.catch(() => undefined);
      }
    },

    async *readBlob({ ticket: text, offset, length }, context) {
      const ticket = await tickets.open(text, subjectOf(context));
      const blob = ticket && (await blobs.find(ticket.blobId));
      if (ticket === undefined || blob === undefined) throw new AppError(Reason.TICKET_INVALID);
      const range = resolveRange(Number(blob.size), Number(offset), length === undefined ? undefined : Number(length));
      yield create(ReadBlobResponseSchema, { part: { case: "header", value: headerOf(blob, range, ticket) } });
      for await (const chunk of reader.read(blob, range, callOf(context).signal)) {
        yield create(ReadBlobResponseSchema, { part: { case: "chunk", value: chunk } });
      }
    },
  };
}

/** The header in front of a blob's bytes. */
export function headerOf(blob: BlobRow, range: ReadRange, { name, mediaType }: Pick<Ticket, "name" | "mediaType">) {
  return create(BlobHeaderSchema, {
    size: BigInt(blob.size),
    sha256: digestBytes(blob.sha256),
    name,
    mediaType,
    offset: BigInt(range.offset),
    length: BigInt(range.length),
  });
}

/** Takes chunks until the client ends, breaks off, or somebody ends the session; answers the `end` message's checksum. */
async function receive(
  session: WriteSession,
  messages: AsyncIterator<WriteBlobRequest>,
  signal: AbortSignal,
): Promise<Checksum | undefined> {
  // Not Promise.race: against one long-lived promise it would keep each chunk until the end.
  let wake: (end: undefined) => void = () => undefined;
  const interrupt = () => wake(undefined);
  const nextMessage = () =>
    new Promise<IteratorResult<WriteBlobRequest> | undefined>((resolve, reject) => {
      wake = resolve;
      if (session.interruption !== undefined || signal.aborted) return resolve(undefined);
      messages.next().then(resolve, reject);
    });
  session.onInterrupt = interrupt;
  signal.addEventListener("abort", interrupt, { once: true });
  try {
    while (true) {
      const message = await nextMessage();
      if (signal.aborted) throw signal.reason;
      if (message === undefined) throw new AppError(Reason.UPLOAD_SUPERSEDED);
      if (message.done) return undefined;
      const { part } = message.value;
      if (part.case === "end") return part.value.checksum;
      if (part.case !== "chunk") throw outOfOrder("start may come once only");
      await session.push(part.value);
    }
  } finally {
    signal.removeEventListener("abort", interrupt);
  }
}

function startOf({ uploadId, offset, length, checksum, size, append }: WriteBlobStart): WriteStart {
  const algorithm = checksum && algorithms[checksum.algorithm];
  return {
    uploadId,
    offset: Number(offset),
    length: length === undefined ? undefined : Number(length),
    size: size === undefined ? undefined : Number(size),
    append,
    checksum: algorithm && { algorithm, value: checksum.value },
  };
}

/** The checksum that came with `end`, if `start` announced it. */
function matching(end: Checksum, start: WriteStart): Uint8Array {
  if (start.checksum === undefined || start.checksum.algorithm !== algorithms[end.algorithm]) {
    throw outOfOrder("start must name the algorithm of the checksum that comes with end");
  }
  if (start.checksum.value.byteLength > 0) throw outOfOrder("the checksum came with start already");
  return end.value;
}

function outOfOrder(description: string): AppError {
  return invalidArgument([{ field: "part", rule: "order", description }]);
}
