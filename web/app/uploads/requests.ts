// The requests of the tus client: each body with its checksum, never more than a few under way, and none that hangs
// for ever because a laptop slept or a router forgot it.

import type { HttpRequest, HttpResponse, HttpStack } from "tus-js-client";
import type { Hash } from "./hashing.ts";
import type { Slots } from "./slots.ts";
import { Stopped, UploadFault } from "./trouble.ts";

/** How long nothing may move while bytes go out, and how long the answer may take after them, in milliseconds. */
const silentMs = 45_000;
const answerMs = 120_000;

export interface RequestsOptions {
  readonly slots: Slots;
  readonly hash: Hash;
  /** Ends what this stack does. */
  readonly signal: AbortSignal;
  /** Called after each body with what it brought. */
  readonly onSent: (bytes: number, milliseconds: number) => void;
  /** Called with when the upload will be forgotten. */
  readonly onExpires: (time: number) => void;
}

export function createRequests(options: RequestsOptions): HttpStack {
  return {
    createRequest: (method, url) => createRequest(method, ownUrl(url), options),
    getName: () => "docket",
  };
}

/** Uploads are on the page's own origin, whatever address the server believes it has. */
export function ownUrl(url: string): string {
  return new URL(url, location.href).pathname;
}

function createRequest(method: string, url: string, options: RequestsOptions): HttpRequest {
  const { slots, hash, signal, onSent, onExpires } = options;
  const xhr = new XMLHttpRequest();
  const headers = new Map<string, string>();
  let onProgress: (bytes: number) => void = () => undefined;
  const end = new AbortController();
  const either = AbortSignal.any([signal, end.signal]);

  async function send(body: Blob | null | undefined): Promise<HttpResponse> {
    // Hashed before a place is taken, so that others send meanwhile.
    const checksum = body && body.size > 0 ? await hash(body) : "";
    const leave = await slots.take(either);
    const began = performance.now();
    try {
      const response = await exchange(body ?? null, checksum);
      if (response.getStatus() < 300) {
        if (body) onSent(body.size, performance.now() - began);
        const expires = Date.parse(response.getHeader("Upload-Expires") ?? "");
        if (!Number.isNaN(expires)) onExpires(expires);
      }
      return response;
    } finally {
      leave();
    }
  }

  function exchange(body: Blob | null, checksum: string): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      let timer: ReturnType<typeof setTimeout>;
      const watch = (ms: number) => {
        clearTimeout(timer);
        timer = setTimeout(() => fail(new UploadFault({ reason: "NETWORK" })), ms);
      };
      const stop = () => fail(new Stopped());
      const over = () => {
        clearTimeout(timer);
        either.removeEventListener("abort", stop);
      };
      const fail = (error: Error) => {
        over();
        xhr.abort();
        reject(error);
      };
      xhr.open(method, url, true);
      for (const [name, value] of headers) xhr.setRequestHeader(name, value);
      if (checksum !== "") xhr.setRequestHeader("Upload-Checksum", `sha256 ${checksum}`);
      xhr.upload.addEventListener("progress", ({ loaded }) => {
        watch(silentMs);
        onProgress(loaded);
      });
      xhr.upload.addEventListener("load", () => watch(answerMs));
      xhr.addEventListener("load", () => {
        over();
        resolve(responseOf(xhr));
      });
      xhr.addEventListener("error", () => fail(new UploadFault({ reason: "NETWORK" })));
      either.addEventListener("abort", stop);
      watch(body === null ? answerMs : silentMs);
      xhr.send(body);
    });
  }

  return {
    getMethod: () => method,
    getURL: () => url,
    setHeader: (name, value) => void headers.set(name, value),
    getHeader: (name) => headers.get(name),
    setProgressHandler: (handler) => {
      onProgress = handler;
    },
    send,
    abort: async () => end.abort(new Stopped()),
    getUnderlyingObject: () => xhr,
  };
}

function responseOf(xhr: XMLHttpRequest): HttpResponse {
  return {
    getStatus: () => xhr.status,
    getHeader: (name) => xhr.getResponseHeader(name) ?? undefined,
    getBody: () => xhr.responseText,
    getUnderlyingObject: () => xhr,
  };
}
