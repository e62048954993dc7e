// The bytes of one range of a file, sent with the tus client. Trying again is not decided here.

import { DetailedError, type FileReader, type HttpStack, Upload } from "tus-js-client";
import { ownUrl } from "./requests.ts";
import { Stopped, troubleOfAnswer, UploadFault } from "./trouble.ts";

export const endpoint = "/files/uploads";

export interface SendOptions {
  readonly http: HttpStack;
  readonly signal: AbortSignal;
  /** The upload that exists already; it is asked where it stands. */
  readonly url: string | undefined;
  /** What the file is; absent for a part of one. */
  readonly metadata?: Record<string, string>;
  /** Whether the bytes go with the request that makes the upload. */
  readonly inline?: boolean;
  /** The size of the next body. */
  readonly chunkBytes: () => number;
  readonly onUrl: (url: string) => void;
  readonly onProgress: (bytes: number) => void;
}

/** Sends what the server does not have yet; gives the upload's URL. Rejects with an UploadFault, or with Stopped. */
export function sendRange(range: Blob, options: SendOptions): Promise<string> {
  const { http, signal, url, metadata, inline = false, chunkBytes, onUrl, onProgress } = options;
  return new Promise((resolve, reject) => {
    const over = (settle: () => void) => {
      signal.removeEventListener("abort", stop);
      settle();
    };
    const urlNow = () => ownUrl(upload.url ?? "");
    const upload = new Upload(range, {
      ...(url === undefined ? { endpoint } : { uploadUrl: url }),
      ...(metadata === undefined ? { headers: { "Upload-Concat": "partial" } } : { metadata }),
      httpStack: http,
      fileReader: pieces,
      retryDelays: null,
      storeFingerprintForResuming: false,
      fingerprint: async () => "",
      uploadDataDuringCreation: inline,
      chunkSize: chunkBytes(),
      onChunkComplete: () => {
        upload.options.chunkSize = chunkBytes();
      },
      onUploadUrlAvailable: () => onUrl(urlNow()),
      onProgress,
      onSuccess: () => over(() => resolve(urlNow())),
      onError: (error) => over(() => reject(faultOf(error))),
    });
    const stop = () =>
      over(() => {
        void upload.abort();
        reject(new Stopped());
      });
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    else upload.start();
  });
}

/** Whole files as they are: each slice costs a call to the browser's own process. */
const pieces: FileReader = {
  openFile: async (range: Blob) => ({
    size: range.size,
    slice: async (start, end) => ({
      value: start === 0 && end >= range.size ? range : range.slice(start, end),
      done: end >= range.size,
    }),
    close: () => undefined,
  }),
};

/** Makes one upload of complete parts, in their order; gives its URL. */
export async function joinParts(
  urls: readonly string[],
  metadata: Record<string, string>,
  http: HttpStack,
): Promise<string> {
  const request = http.createRequest("POST", endpoint);
  request.setHeader("Tus-Resumable", "1.0.0");
  request.setHeader("Upload-Concat", `final;${urls.join(" ")}`);
  request.setHeader("Upload-Metadata", encodeMetadata(metadata));
  const response = await request.send(null);
  if (response.getStatus() !== 201) throw faultOfResponse(response);
  return ownUrl(response.getHeader("Location") ?? "");
}

/** Gives an upload up. What cannot be reached any more expires by itself. */
export async function deleteUpload(url: string): Promise<void> {
  await fetch(url, { method: "DELETE", headers: { "tus-resumable": "1.0.0" }, keepalive: true }).catch(() => undefined);
}

export function urlOf(uploadId: string): string {
  return `${endpoint}/${uploadId}`;
}

export function idOf(url: string): string {
  return url.split("/").at(-1) ?? "";
}

export function encodeMetadata(metadata: Readonly<Record<string, string>>): string {
  const encoded = (value: string) => btoa(String.fromCharCode(...new TextEncoder().encode(value)));
  return Object.entries(metadata)
    .map(([key, value]) => `${key} ${encoded(value)}`)
    .join(",");
}

function faultOf(error: Error): Error {
  if (!(error instanceof DetailedError)) return error;
  // The client's promise of never being absent does not hold for requests that nothing answered.
  const response = error.originalResponse as DetailedError["originalResponse"] | undefined;
  if (response) return faultOfResponse(response);
  return error.causingError ?? new UploadFault({ reason: "NETWORK" });
}

function faultOfResponse(response: NonNullable<DetailedError["originalResponse"]>): UploadFault {
  const retryAfter = response.getHeader("Retry-After") ?? null;
  return new UploadFault(troubleOfAnswer(response.getStatus(), response.getBody(), retryAfter, Date.now()));
}
