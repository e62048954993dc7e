// A client of the edge as benches need it: whole files up over tus and down over plain HTTP, at full speed or held back.

import { createHash } from "node:crypto";
import { request } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";
import { UploadState } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import type { MadeFile } from "@docket/e2e/bytes";
import type { Person } from "@docket/e2e/person";

/** Uploads over tus in one PATCH and makes a document of it; answers the document's id. */
export async function uploadDocument(person: Person, workspaceId: string, file: MadeFile): Promise<string> {
  const encode = (text: string) => Buffer.from(text).toString("base64");
  const created = await person.http("/files/uploads", {
    method: "POST",
    headers: {
      "tus-resumable": "1.0.0",
      "upload-length": String(file.size),
      "upload-metadata": `filename ${encode("large.bin")},workspace_id ${encode(workspaceId)}`,
    },
  });
  if (created.status !== 201) throw new Error(`${created.status} ${await created.text()}`);
  const location = created.headers.get("location") ?? "";
  const status = await send("PATCH", new URL(location, person.url), file, {
    authorization: `Bearer ${person.secret}`,
    "tus-resumable": "1.0.0",
    "upload-offset": "0",
    "content-type": "application/offset+octet-stream",
  });
  if (status !== 204) throw new Error(`the upload was answered with ${status}`);
  const uploadId = location.split("/").at(-1) ?? "";
  for (;;) {
    const { upload } = await person.uploads.completeUpload({ uploadId, wait: { seconds: 30n } });
    if (upload?.state === UploadState.STORED) break;
    if (upload?.state !== UploadState.VERIFYING) throw new Error(`the upload is in state ${upload?.state}`);
  }
  const made = await person.documents.createDocument({ parent: { case: "workspaceId", value: workspaceId }, uploadId });
  return made.document?.id ?? "";
}

/** Reads a document's newest version and checks its digest. */
export async function downloadDocument(person: Person, documentId: string): Promise<void> {
  const { version } = (await person.documents.getDocument({ documentId })).document ?? {};
  const digest = await digestOf(new URL(`/files/documents/${documentId}`, person.url), {
    authorization: `Bearer ${person.secret}`,
  });
  if (!digest.equals(Buffer.from(version?.digest ?? []))) throw new Error("the download differs from the upload");
}

/** Reads a document a little at a time until told to stop, as a slow client does; answers how many bytes it took. */
export async function downloadSlowly(
  person: Person,
  documentId: string,
  bytesPerSecond: number,
  signal: AbortSignal,
): Promise<number> {
  const headers = { authorization: `Bearer ${person.secret}` };
  const body = await get(new URL(`/files/documents/${documentId}`, person.url), headers);
  let taken = 0;
  for await (const chunk of body) {
    taken += chunk.byteLength;
    await pause((chunk.byteLength / bytesPerSecond) * 1000, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
  }
  return taken;
}

/** Sends a file as the body of a request; answers the status. */
export async function send(
  method: string,
  url: URL,
  file: MadeFile,
  headers: Record<string, string> = {},
): Promise<number> {
  const going = request(url, { method, headers: { ...headers, "content-length": String(file.size) } });
  const status = new Promise<number>((resolve, reject) => {
    going.on("response", (response) => resolve(response.resume().statusCode ?? 0));
    going.on("error", reject);
  });
  // A refusal may come before the body has gone, and then says more than the broken pipe.
  const sent = pipeline(
    Readable.from(file.chunks(0, 1 << 20), { objectMode: false, highWaterMark: 4 << 20 }),
    going,
  ).catch(async (error) => {
    await Promise.race([status, Promise.reject(error)]);
  });
  await Promise.all([sent, status]);
  return await status;
}

/** The SHA-256 of what a URL answers. */
export async function digestOf(url: URL, headers: Record<string, string> = {}): Promise<Buffer> {
  const hash = createHash("sha256");
  for await (const chunk of await get(url, headers)) hash.update(chunk);
  return hash.digest();
}

async function get(url: URL, headers: Record<string, string>): Promise<Readable> {
  const response = await new Promise<Readable & { statusCode?: number }>((resolve, reject) => {
    request(url, { headers }, resolve).on("error", reject).end();
  });
  if (response.statusCode !== 200) throw new Error(`the download was answered with ${response.statusCode}`);
  return response;
}
