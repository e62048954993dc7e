// A tus client for tests: it sends each request as it is told to, wrong ones too, and never repeats one.

import { newId } from "@docket/runtime/ids";
import { expect } from "@jest/globals";
import type { FakeUpload } from "./upstreams/storage.ts";
import type { World } from "./world.ts";

/** Somebody who is signed in to a world and uploads to a workspace of their own. */
export class TusClient {
  readonly #world: World;
  readonly workspaceId = newId();
  /** The header of each request. */
  readonly authorization: string;
  /** The `Upload-Metadata` that an upload is created with. */
  readonly metadata = [
    `filename ${base64("größe.bin")}`,
    `filetype ${base64("application/pdf")}`,
    `workspace_id ${base64(this.workspaceId)}`,
  ].join(",");

  constructor(world: World) {
    this.#world = world;
    this.authorization = `Bearer ${world.users.signIn().secret}`;
  }

  /** A request to a path of the world, or to a whole address. */
  call(method: string, path: string, headers: Record<string, string> = {}, body?: Buffer | string): Promise<Response> {
    const url = path.startsWith("http") ? path : this.#world.url + path;
    return fetch(url, {
      method,
      headers: { "tus-resumable": "1.0.0", authorization: this.authorization, ...headers },
      body: body ?? null,
    });
  }

  /** Creates an upload of so many bytes, and gives its address. */
  async create(size: number, headers: Record<string, string> = {}): Promise<string> {
    const answer = await this.call("POST", "/files/uploads", {
      "upload-length": String(size),
      "upload-metadata": this.metadata,
      ...headers,
    });
    expect(answer.status).toBe(201);
    return answer.headers.get("location") ?? "";
  }

  patch(url: string, offset: number, body: Buffer | string, headers: Record<string, string> = {}): Promise<Response> {
    return this.call(
      "PATCH",
      url,
      { "upload-offset": String(offset), "content-type": "application/offset+octet-stream", ...headers },
      body,
    );
  }

  /** How many bytes the edge says that it has. */
  async offsetOf(url: string): Promise<number> {
    return Number((await this.call("HEAD", url)).headers.get("upload-offset"));
  }

  /** What the storage service holds of an upload. */
  stored(url: string): FakeUpload {
    const upload = this.#world.storage.uploads.get(url.slice(-36));
    if (upload === undefined) throw new Error(`no upload ${url}`);
    return upload;
  }
}

export function base64(text: string | Buffer): string {
  return Buffer.from(text).toString("base64");
}
