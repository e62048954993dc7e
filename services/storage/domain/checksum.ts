// Checksums that a client may send with a write.

import { createHash, type Hash } from "node:crypto";
import { crc32 } from "node:zlib";

export type Algorithm = "crc32" | "md5" | "sha1" | "sha256";

/** Takes a checksum of bytes that come in portions. */
export interface Summer {
  update(bytes: Uint8Array): void;
  digest(): Uint8Array;
}

export function createSummer(algorithm: Algorithm): Summer {
  if (algorithm === "crc32") return new Crc32();
  const hash: Hash = createHash(algorithm);
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
}

class Crc32 implements Summer {
  #sum = 0;

  update(bytes: Uint8Array): void {
    this.#sum = crc32(bytes, this.#sum);
  }

  digest(): Uint8Array {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeUInt32BE(this.#sum);
    return bytes;
  }
}
