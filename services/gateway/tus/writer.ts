// Hands the body of a PATCH, or of a creation with upload, on to storage. What has been answered is durable.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Client, ConnectError } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type {
  TransferService,
  WriteBlobRequestSchema,
  WriteBlobStartSchema,
} from "@docket/contracts/gen/docket/storage/v1/transfer_service_pb.ts";
import type { Upload } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import { AppError } from "@docket/runtime/errors";
import type { Gate, SignedIn } from "../guard/gate.ts";
import { watched } from "../http/body_watch.ts";
import { bodyOf, type Exchange } from "../http/exchange.ts";
import { meshHeaders } from "../rpc/edge_call.ts";
import type { OpenStreams } from "../session/open_streams.ts";
import { segmented } from "./chunks.ts";
import { checksumOf } from "./headers.ts";

export interface WriterOptions {
  readonly transfers: Client<typeof TransferService>;
  readonly streams: OpenStreams;
  readonly gate: Gate;
  /** How long a client may send nothing, in milliseconds. */
  readonly idleMs: number;
  /** How long one stream to storage lasts, in milliseconds: less than a token does. */
  readonly segmentMs: number;
}

type Start = MessageInitShape<typeof WriteBlobStartSchema>;

export interface Write {
  readonly uploadId: string;
  readonly offset: number;
  /** The whole upload's size, when the client says it only now. */
  readonly size: number | undefined;
}

/** Writes the whole body. Throws when it did not come whole; what came is durable then, unless a checksum stood for it. */
export async function writeBody(
  exchange: Exchange,
  admission: SignedIn,
  write: Write,
  options: WriterOptions,
): Promise<Upload> {
  const checksum = checksumOf(exchange);
  const body = segmented(watched(bodyOf(exchange.request), { idleMs: options.idleMs }, exchange.signal), {
    whole: checksum !== undefined,
  });
  let at = write.offset;
  let present = admission;
  while (true) {
    const start: Start = { uploadId: write.uploadId, offset: BigInt(at), append: true };
    if (write.size !== undefined) start.size = BigInt(write.size);
    if (checksum !== undefined) start.checksum = checksum;
    // A checksum is of all bytes of one call, so these must not be cut.
    const limitMs = checksum === undefined ? options.segmentMs : Number.POSITIVE_INFINITY;
    const { offset, upload } = await writeSegment(start, body.segment(limitMs), exchange, present, options);
    at = offset;
    if (!body.over) {
      present = { ...admission, subject: await options.gate.renew(exchange, admission) };
      continue;
    }
    if (body.failure !== undefined) throw interrupted(body.failure);
    return upload;
  }
}

async function writeSegment(
  start: Start,
  pieces: AsyncGenerator<Uint8Array>,
  exchange: Exchange,
  admission: SignedIn,
  options: WriterOptions,
): Promise<{ offset: number; upload: Upload }> {
  const live = options.streams.open(admission.credential, admission.subject);
  try {
    // Not ended with the client: what it sent before it went shall be kept.
    const answer = await options.transfers.writeBlob(messages(start, pieces), {
      headers: meshHeaders(exchange, admission),
      signal: live.signal,
    });
    if (answer.upload === undefined) throw new AppError(Reason.INTERNAL, { message: "Storage named no upload." });
    return { offset: Number(answer.offset), upload: answer.upload };
  } catch (error) {
    throw live.signal.aborted ? live.signal.reason : error;
  } finally {
    live.close();
  }
}

async function* messages(
  start: Start,
  pieces: AsyncGenerator<Uint8Array>,
): AsyncGenerator<MessageInitShape<typeof WriteBlobRequestSchema>> {
  yield { part: { case: "start", value: start } };
  for await (const piece of pieces) yield { part: { case: "chunk", value: piece } };
}

function interrupted(failure: unknown): AppError | ConnectError {
  return failure instanceof AppError ? failure : new AppError(Reason.CANCELLED, { cause: failure });
}
