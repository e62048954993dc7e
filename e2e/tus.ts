// Uploads with a stock tus client (tus-js-client), as browsers and other programs would.

import { Upload } from "tus-js-client";
import type { Person } from "./person.ts";

/** What goes up. */
export interface TusOptions {
  readonly workspaceId: string;
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
  /** Abort after this many bytes and resume, as after a cut. */
  readonly cutAt?: number;
  /** How many parts go up side by side. Default: 1. */
  readonly parallel?: number;
}

/** Uploads and returns the upload's id, which is the last part of its URL. */
export async function tusUpload(person: Person, options: TusOptions): Promise<string> {
  const { workspaceId, name, mediaType, bytes, cutAt, parallel = 1 } = options;
  const endpoint = new URL("/files/uploads", person.url).href;
  const metadata = { filename: name, filetype: mediaType, workspace_id: workspaceId };
  const { headers } = person;
  let resumeAt: string | null = null;
  if (cutAt !== undefined) {
    resumeAt = await new Promise<string | null>((resolve, reject) => {
      const first = new Upload(bytes, {
        endpoint,
        headers,
        metadata,
        chunkSize: cutAt,
        onError: reject,
        onChunkComplete: () => void first.abort().then(() => resolve(first.url)),
      });
      first.start();
    });
  }
  return await new Promise((resolve, reject) => {
    const whole = new Upload(bytes, {
      ...(resumeAt === null ? { endpoint } : { uploadUrl: resumeAt }),
      headers,
      metadata,
      ...(parallel > 1 ? { parallelUploads: parallel } : {}),
      onError: reject,
      onSuccess: () => resolve(whole.url?.split("/").at(-1) ?? ""),
    });
    whole.start();
  });
}
