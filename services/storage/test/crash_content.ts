// Bytes that two processes can make from a number.

import { createCipheriv } from "node:crypto";

/** Up to a megabyte of bytes that no other seed has. */
export function contentOf(seed: number): Buffer {
  const key = Buffer.alloc(16);
  key.writeUInt32BE(seed);
  const size = 1 + ((seed * 104_729) % 1_000_000);
  return createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(size));
}
