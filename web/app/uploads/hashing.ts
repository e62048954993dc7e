// The SHA-256 of a piece of a file, in base64. A worker reads and hashes, so that the page does neither.

interface Answer {
  readonly id: number;
  readonly digest?: string;
  /** The name of the error, when the piece cannot be read. */
  readonly error?: string;
}

export type Hash = (piece: Blob) => Promise<string>;

export function createHash(): Hash {
  const worker = new Worker(new URL("./hashing.worker.ts", import.meta.url), { type: "module" });
  const waiting = new Map<number, (answer: Answer) => void>();
  let broken = false;
  let last = 0;
  worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
    waiting.get(data.id)?.(data);
    waiting.delete(data.id);
  });
  // Its script could not be loaded: pieces then go without a checksum of their own; the whole file has one all the same.
  worker.addEventListener("error", () => {
    broken = true;
    for (const [id, settle] of waiting) settle({ id, digest: "" });
    waiting.clear();
  });
  return async (piece) => {
    if (broken) return "";
    return await new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, ({ digest, error }) => {
        if (digest === undefined) reject(new DOMException("The piece was not hashed.", error));
        else resolve(digest);
      });
      worker.postMessage({ id: last, piece });
    });
  };
}
