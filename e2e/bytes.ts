// Files for journeys and benches: any size, made as they are read, the same bytes for the same seed. AES-CTR gives random
// access at the speed of the disk (NIST SP 800-38A, section 6.5).

import { createCipheriv, createHash } from "node:crypto";

/** A file that exists only as a rule. */
export interface MadeFile {
  readonly size: number;
  /** Its bytes from `offset` on, in chunks. */
  chunks(offset?: number, chunkBytes?: number): Generator<Uint8Array>;
  /** The SHA-256 of the whole. */
  sha256(): Buffer;
}

/** A file of `size` bytes that look random. */
export function madeFile(seed: string, size: number): MadeFile {
  const key = createHash("sha256").update(seed).digest().subarray(0, 16);
  const file: MadeFile = {
    size,
    *chunks(offset = 0, chunkBytes = 256 * 1024) {
      const start = offset - (offset % 16);
      const counter = Buffer.alloc(16);
      counter.writeBigUInt64BE(BigInt(start / 16), 8);
      const cipher = createCipheriv("aes-128-ctr", key, counter);
      cipher.update(Buffer.alloc(offset - start));
      const zeros = Buffer.alloc(chunkBytes);
      for (let at = offset; at < size; at += chunkBytes)
        yield cipher.update(zeros.subarray(0, Math.min(chunkBytes, size - at)));
    },
    sha256() {
      const hash = createHash("sha256");
      for (const chunk of file.chunks()) hash.update(chunk);
      return hash.digest();
    },
  };
  return file;
}

/** A real, one-page PDF (ISO 32000-1, section 7.5) that says `text`. */
export function pdf(text: string): Buffer {
  const content = `BT /F1 24 Tf 72 720 Td (${text.replace(/[\\()]/g, "\\$&")}) Tj ET`;
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
  ];
  let body = "%PDF-1.4\n";
  const offsets = objects.map((object, index) => {
    const at = body.length;
    body += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return at;
  });
  const xref = offsets.map((at) => `${String(at).padStart(10, "0")} 00000 n \n`).join("");
  const trailer = `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${body.length}\n%%EOF\n`;
  return Buffer.from(`${body}xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${xref}${trailer}`, "latin1");
}
