// The SHA-256 of a piece of a file, in base64. The page never computes it itself: the browser does, or a worker.

interface Answer {
  readonly id: number;
  readonly digest?: string;
  /** The name of the error, when the piece cannot be read. */
  readonly error?: string;
}

export type Hash = (piece: Blob) => Promise<string>;

export function createHash(): Hash {
  // Browsers have no crypto.subtle over plain HTTP.
  return globalThis.crypto?.subtle === undefined ? inWorker() : byBrowser;
}

async function byBrowser(piece: Blob): Promise<string> {
  return base64Of(new Uint8Array(await crypto.subtle.digest("SHA-256", await piece.arrayBuffer())));
}

export function base64Of(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function inWorker(): Hash {
  const worker = new Worker(new URL("./hashing.worker.ts", import.meta.url), { type: "module" });
  const waiting = new Map<number, (answer: Answer) => void>();
  let last = 0;
  worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
    waiting.get(data.id)?.(data);
    waiting.delete(data.id);
  });
  worker.addEventListener("error", () => {
    for (const [id, settle] of waiting) settle({ id, error: "WorkerError" });
    waiting.clear();
  });
  return (piece) =>
    new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, ({ digest, error }) => {
        if (digest === undefined) reject(new DOMException("The piece was not hashed.", error));
        else resolve(digest);
      });
      worker.postMessage({ id: last, piece });
    });
}
