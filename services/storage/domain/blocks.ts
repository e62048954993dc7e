// Checksums per block of a piece. They are taken while the bytes arrive and kept in the row of the piece, out of reach
// of whatever may happen to the file; each byte that leaves lies in a block that was compared with its checksum.

import { crc32 } from "node:zlib";

/** How many bytes have one checksum. Small enough for a short range to be read at little cost. */
export const blockBytes = 64 * 1024;

/** Takes the checksums of bytes that come in any portions. */
export class BlockSums {
  #sums: number[] = [];
  #current = 0;
  #filled = 0;

  /** Adds the next bytes. */
  update(bytes: Uint8Array): void {
    let from = 0;
    while (from < bytes.byteLength) {
      const part = bytes.subarray(from, from + blockBytes - this.#filled);
      this.#current = crc32(part, this.#current);
      this.#filled += part.byteLength;
      from += part.byteLength;
      if (this.#filled === blockBytes) this.#close();
    }
  }

  /** The checksums so far, four bytes big-endian for each block; the last block may be short. */
  encode(): Uint8Array {
    if (this.#filled > 0) this.#close();
    const bytes = Buffer.allocUnsafe(this.#sums.length * 4);
    for (const [index, sum] of this.#sums.entries()) bytes.writeUInt32BE(sum, index * 4);
    return bytes;
  }

  #close(): void {
    this.#sums.push(this.#current);
    this.#current = 0;
    this.#filled = 0;
  }
}

/** The checksum of one block, out of the row's bytes. */
export function sumOf(sums: Uint8Array, block: number): number {
  return new DataView(sums.buffer, sums.byteOffset, sums.byteLength).getUint32(block * 4);
}

/**
 * Compares whole blocks with their checksums. `bytes` begins at the start of block `first`.
 * Answers the index of the first block that differs, or undefined.
 */
export function findCorrupt(bytes: Uint8Array, first: number, sums: Uint8Array): number | undefined {
  for (let from = 0, block = first; from < bytes.byteLength; from += blockBytes, block += 1) {
    if (block * 4 >= sums.byteLength) return block;
    if (crc32(bytes.subarray(from, from + blockBytes)) !== sumOf(sums, block)) return block;
  }
  return undefined;
}
