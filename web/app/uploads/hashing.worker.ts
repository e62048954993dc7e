// Hashes pieces of files where the browser itself does not: a piece comes as a reference, and is read in small slices.

import { createSHA256 } from "hash-wasm";
import { base64Of } from "./hashing.ts";

const sliceBytes = 1024 * 1024;

interface Task {
  readonly id: number;
  readonly piece: Blob;
}

let before: Promise<unknown> = Promise.resolve();

addEventListener("message", ({ data }: MessageEvent<Task>) => {
  // One after the other: the hasher has one state.
  before = before.then(() => answer(data));
});

const hasher = createSHA256();

async function answer({ id, piece }: Task): Promise<void> {
  try {
    const sha256 = (await hasher).init();
    for (let at = 0; at < piece.size; at += sliceBytes) {
      sha256.update(new Uint8Array(await piece.slice(at, at + sliceBytes).arrayBuffer()));
    }
    postMessage({ id, digest: base64Of(sha256.digest("binary")) });
  } catch (error) {
    postMessage({ id, error: error instanceof DOMException ? error.name : "WorkerError" });
  }
}
