// Small uploads in each state that a request may need.

import { create } from "@bufbuild/protobuf";
import { WriteBlobRequestSchema } from "@docket/contracts/gen/docket/storage/v1/transfer_service_pb.ts";
import type { Actor } from "./subjects.ts";

/** Somebody who uploads. */
type Uploader = Pick<Actor, "clients">;

const bytes = new TextEncoder().encode("The tide tables of the coming year.");

/** An upload that takes bytes. */
export async function beginUpload(actor: Uploader, workspaceId: string): Promise<string> {
  const { upload } = await actor.clients.uploads.createUpload({ workspaceId, name: "Tides.txt" });
  return upload?.id ?? "";
}

/** An upload whose bytes have all come. */
export async function writeUpload(actor: Uploader, workspaceId: string): Promise<string> {
  const id = await beginUpload(actor, workspaceId);
  await write(actor, id);
  return id;
}

/** An upload that a document or version may be made of. */
export async function storeUpload(actor: Uploader, workspaceId: string): Promise<string> {
  const uploadId = await writeUpload(actor, workspaceId);
  await actor.clients.uploads.completeUpload({ uploadId });
  return uploadId;
}

/** A piece for ConcatenateUploads. */
export async function writePart(actor: Uploader): Promise<string> {
  const { upload } = await actor.clients.uploads.createPartialUpload({ size: BigInt(bytes.length) });
  const id = upload?.id ?? "";
  await write(actor, id);
  return id;
}

/** The messages of a write. */
export function writeMessages(uploadId: string) {
  return [
    { part: { case: "start" as const, value: { uploadId } } },
    { part: { case: "chunk" as const, value: bytes } },
  ];
}

async function write(actor: Uploader, uploadId: string): Promise<void> {
  async function* messages() {
    for (const message of writeMessages(uploadId)) yield create(WriteBlobRequestSchema, message);
  }
  await actor.clients.transfers.writeBlob(messages());
}
