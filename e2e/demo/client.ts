// How the demonstration speaks to the edge: Connect with JSON and tus over plain HTTP, as any outsider could. It waits
// as long as the edge asks when it was too fast.

import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { type Clients, clientsOf } from "../person.ts";

/** Somebody at the edge, or nobody yet. */
export interface Hand extends Clients {
  readonly url: string;
  readonly secret: string | undefined;
}

/** How often a call is tried that was refused for coming too fast. */
const tries = 20;

/** Clients for a session, or for nobody. */
export function handOf(url: string, secret?: string): Hand {
  const signedIn: Interceptor = (next) => (request) => {
    if (secret !== undefined) request.header.set("authorization", `Bearer ${secret}`);
    return next(request);
  };
  const patient: Interceptor = (next) => async (request) => {
    for (let left = tries; ; left -= 1) {
      try {
        return await next(request);
      } catch (error) {
        const seconds = Number(ConnectError.from(error).metadata.get("retry-after") ?? Number.NaN);
        if (request.stream || left <= 1 || Number.isNaN(seconds)) throw error;
        await pause(seconds * 1000);
      }
    }
  };
  const transport = createConnectTransport({
    baseUrl: url,
    httpVersion: "1.1",
    useBinaryFormat: false,
    interceptors: [signedIn, patient],
  });
  return { ...clientsOf(transport), url, secret };
}

/** What goes up. */
export interface TusFile {
  readonly workspaceId: string;
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Uploads with tus 1.0 and returns the upload's id. */
export async function upload(hand: Hand, { workspaceId, name, mediaType, bytes }: TusFile): Promise<string> {
  const metadata = { filename: name, filetype: mediaType, workspace_id: workspaceId };
  const made = await patiently(hand, "/files/uploads", {
    method: "POST",
    headers: {
      "upload-length": String(bytes.byteLength),
      "upload-metadata": Object.entries(metadata)
        .map(([key, value]) => `${key} ${Buffer.from(value).toString("base64")}`)
        .join(","),
    },
  });
  const id = new URL(made.headers.get("location") ?? "", hand.url).pathname.split("/").at(-1) ?? "";
  await patiently(hand, `/files/uploads/${id}`, {
    method: "PATCH",
    headers: { "upload-offset": "0", "content-type": "application/offset+octet-stream" },
    body: bytes,
  });
  return id;
}

async function patiently(hand: Hand, path: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("tus-resumable", "1.0.0");
  headers.set("authorization", `Bearer ${hand.secret}`);
  for (let left = tries; ; left -= 1) {
    const response = await fetch(new URL(path, hand.url), { ...init, headers });
    if (response.ok) return response;
    const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
    const said = await response.text();
    if (left <= 1 || Number.isNaN(seconds))
      throw new Error(`${init.method} ${path} answers ${response.status}: ${said}`);
    await pause(seconds * 1000);
  }
}

/** A request id that is the same for the same words, so that a call repeated after a cut makes nothing twice. */
export function requestId(...words: readonly string[]): string {
  const hash = createHash("sha256")
    .update(JSON.stringify(["docket demonstration", ...words]))
    .digest();
  // Version 8 of RFC 9562: an id by a rule of one's own.
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x80;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}

/** Every item of a list that comes in pages. */
export async function everyPage<Page extends { readonly nextPageToken: string }, Item>(
  ask: (page: { readonly pageSize: number; readonly pageToken: string }) => Promise<Page>,
  itemsOf: (page: Page) => readonly Item[],
): Promise<Item[]> {
  const items: Item[] = [];
  for (let pageToken = ""; ; ) {
    const page = await ask({ pageSize: 200, pageToken });
    items.push(...itemsOf(page));
    pageToken = page.nextPageToken;
    if (pageToken === "") return items;
  }
}
