// How a file is cut: into parts that go up side by side, and each part into the bodies of single requests.

const mebibyte = 1024 * 1024;

/** Files up to this go up in one part. */
export const onePartBytes = 32 * mebibyte;
/** How many parts a larger file has: as many as there are requests under way at once. */
export const partCount = 3;
/** The largest body of a request, and the smallest one on a bad connection. */
export const largestChunk = 8 * mebibyte;
export const smallestChunk = 256 * 1024;
/** Files up to this go up with the request that makes their upload. */
export const inlineBytes = 2 * mebibyte;

/** A range of a file, and the upload it goes to once there is one. */
export interface Part {
  readonly start: number;
  readonly end: number;
  url?: string | undefined;
}

/** The parts of a file of this size, in order; their borders are multiples of a chunk. */
export function partsOf(size: number): Part[] {
  if (size <= onePartBytes) return [{ start: 0, end: size }];
  const step = Math.ceil(size / partCount / largestChunk) * largestChunk;
  const parts: Part[] = [];
  for (let start = 0; start < size; start += step) parts.push({ start, end: Math.min(size, start + step) });
  return parts;
}

/** How long one request should take, in seconds: what is lost when the connection is. */
const secondsOfChunk = 10;
/** The server takes 10,000 pieces of one file. */
const mostPieces = 8000;

/**
 * The body's size for the next request, from the speed of one connection (bytes in a second, 0: unknown) and how often
 * this file was interrupted since a request went well.
 */
export function chunkBytes(fileSize: number, speed: number, interruptions: number): number {
  const bySpeed = speed > 0 ? speed * secondsOfChunk : largestChunk;
  const wanted = bySpeed / 2 ** Math.min(interruptions, 10);
  const least = Math.max(smallestChunk, fileSize / mostPieces);
  const steps = Math.floor(Math.max(least, Math.min(largestChunk, wanted)) / smallestChunk);
  return Math.max(smallestChunk * Math.max(1, steps), Math.ceil(least));
}
