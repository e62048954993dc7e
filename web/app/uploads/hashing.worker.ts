// Hashes pieces of files: with the browser's own SHA-256, or, where it offers none (plain HTTP), with WebAssembly and
// then slice by slice. A piece comes as a reference; its bytes are read here only.

interface Task {
  readonly id: number;
  readonly piece: Blob;
}

const sliceBytes = 1024 * 1024;

/** One after the other, so that only one piece is in memory. */
let before: Promise<void> = Promise.resolve();

addEventListener("message", ({ data }: MessageEvent<Task>) => {
  before = before.then(() => answer(data));
});

async function answer({ id, piece }: Task): Promise<void> {
  try {
    const digest = crypto.subtle === undefined ? await bySlices(piece) : await byBrowser(piece);
    postMessage({ id, digest: btoa(String.fromCharCode(...digest)) });
  } catch (error) {
    postMessage({ id, error: error instanceof Error || error instanceof DOMException ? error.name : "Error" });
  }
}

async function byBrowser(piece: Blob): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await piece.arrayBuffer()));
}

async function bySlices(piece: Blob): Promise<Uint8Array> {
  const { createSHA256 } = await import("hash-wasm");
  const sha256 = (await createSHA256()).init();
  for (let at = 0; at < piece.size; at += sliceBytes) {
    sha256.update(new Uint8Array(await piece.slice(at, at + sliceBytes).arrayBuffer()));
  }
  return sha256.digest("binary");
}
