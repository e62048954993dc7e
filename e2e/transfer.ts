// Bytes up and down at the edge, as a client would move them: over gRPC streams, resumed after a cut.

import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { WriteBlobRequestSchema } from "@docket/contracts/gen/docket/storage/v1/transfer_service_pb.ts";
import { UploadState } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { reasonOf } from "@docket/runtime/errors";
import type { MadeFile } from "./bytes.ts";
import type { Person } from "./person.ts";

/** How a file goes up. */
export interface UploadOptions {
  readonly workspaceId: string;
  readonly name: string;
  readonly mediaType?: string;
  readonly file: MadeFile;
  /** Cut the first stream once about this many bytes were handed to it, and resume. */
  readonly cutAt?: number;
  /** Says what happens. */
  readonly log?: (line: string) => void;
}

/** Uploads a file in chunks, declares its digest, and returns the id of the stored upload. */
export async function upload(person: Person, options: UploadOptions): Promise<string> {
  const { workspaceId, name, mediaType = "application/octet-stream", file, cutAt, log } = options;
  const { upload: made } = await person.uploads.createUpload({
    workspaceId,
    name,
    mediaType,
    size: BigInt(file.size),
    sha256: file.sha256(),
  });
  const uploadId = made?.id ?? "";
  if (cutAt !== undefined) {
    await write(person, uploadId, file, 0, cutAt).then(
      () => Promise.reject(new Error("the stream should have been cut")),
      (error) => log?.(`cut: ${ConnectError.from(error).message}`),
    );
    const { upload: kept } = await person.uploads.getUpload({ uploadId });
    log?.(`resumes at ${kept?.offset} of ${file.size}`);
    await goOn(person, uploadId, file, Number(kept?.offset ?? 0n));
  } else {
    await write(person, uploadId, file, 0);
  }
  const { upload: done } = await person.uploads.completeUpload({ uploadId, wait: { seconds: 30n } });
  if (done?.state !== UploadState.STORED) throw new Error(`the upload ended in state ${done?.state}`);
  return uploadId;
}

/** Goes on after a cut. What the old stream still had on its way may arrive meanwhile; the server then says where to go on. */
export async function goOn(person: Person, uploadId: string, file: MadeFile, offset: number): Promise<bigint> {
  try {
    return await write(person, uploadId, file, offset);
  } catch (error) {
    if (reasonOf(error) !== Reason.UPLOAD_OFFSET_CONFLICT) throw error;
    const [info] = ConnectError.from(error).findDetails(ErrorInfoSchema);
    return await goOn(person, uploadId, file, Number(info?.metadata.offset));
  }
}

/** Writes a file from `offset` on, as one stream; aborts it after `cutAt` bytes. */
export async function write(
  person: Person,
  uploadId: string,
  file: MadeFile,
  offset: number,
  cutAt?: number,
): Promise<bigint> {
  const cut = new AbortController();
  async function* requests() {
    yield create(WriteBlobRequestSchema, { part: { case: "start", value: { uploadId, offset: BigInt(offset) } } });
    let sent = 0;
    for (const chunk of file.chunks(offset)) {
      if (cutAt !== undefined && sent >= cutAt) cut.abort();
      yield create(WriteBlobRequestSchema, { part: { case: "chunk", value: chunk } });
      sent += chunk.length;
    }
  }
  const answer = await person.transfers.writeBlob(requests(), { signal: cut.signal });
  return answer.offset;
}

/** Downloads a version over gRPC and returns the digest of what came. */
export async function digestOverGrpc(person: Person, documentId: string, number: number): Promise<string> {
  const { ticket } = await person.versions.createDownloadTicket({ documentId, number });
  const hash = createHash("sha256");
  for await (const { part } of person.transfers.readBlob({ ticket }))
    if (part.case === "chunk") hash.update(part.value);
  return hash.digest("hex");
}

/** Downloads a version over HTTP and returns the digest of what came. */
export async function digestOverHttp(person: Person, documentId: string, number: number): Promise<string> {
  const response = await person.http(`/files/documents/${documentId}/versions/${number}`);
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  const hash = createHash("sha256");
  for await (const chunk of response.body ?? []) hash.update(chunk);
  return hash.digest("hex");
}
