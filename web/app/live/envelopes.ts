// Connect's framing of a stream: a byte of flags, the length in four bytes, the message.

export interface Envelope {
  readonly flags: number;
  readonly text: string;
}

/** The flag of the last message, which holds the stream's error or nothing. */
export const endFlag = 2;
/** No message of the contract comes near it: what claims to be longer is no stream of Docket's. */
const mostBytes = 8 << 20;
const headBytes = 5;

/** Puts messages together from pieces, wherever they were cut. */
export class Envelopes {
  #kept = new Uint8Array();
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });

  /** The messages that are whole with this piece. Throws for what is no stream of messages. */
  push(piece: Uint8Array): Envelope[] {
    const bytes = this.#joined(piece);
    const whole: Envelope[] = [];
    let at = 0;
    while (bytes.length - at >= headBytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset + at, headBytes);
      const flags = view.getUint8(0);
      const length = view.getUint32(1);
      // Compression was not asked for.
      if ((flags & ~endFlag) !== 0 || length > mostBytes) throw new Error("no stream of messages");
      const end = at + headBytes + length;
      if (end > bytes.length) break;
      whole.push({ flags, text: this.#decoder.decode(bytes.subarray(at + headBytes, end)) });
      at = end;
    }
    this.#kept = bytes.slice(at);
    return whole;
  }

  #joined(piece: Uint8Array): Uint8Array<ArrayBuffer> {
    const joined = new Uint8Array(this.#kept.length + piece.length);
    joined.set(this.#kept);
    joined.set(piece, this.#kept.length);
    return joined;
  }
}

/** One message, framed. */
export function enveloped(text: string): Uint8Array<ArrayBuffer> {
  const message = new TextEncoder().encode(text);
  const framed = new Uint8Array(headBytes + message.length);
  new DataView(framed.buffer).setUint32(1, message.length);
  framed.set(message, headBytes);
  return framed;
}
