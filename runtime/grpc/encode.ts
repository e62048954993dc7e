// Messages to bytes. A chunk of a file, which is a message of nothing but one `bytes` field, is not encoded at all but
// copied once, straight into the frame that goes out, where the general encoder and grpc-js copy it several times.

import type { Readable } from "node:stream";
import { type DescField, type DescMessage, type MessageShape, ScalarType, toBinary } from "@bufbuild/protobuf";

/** Encodes a message as protobuf. */
export function encode<Desc extends DescMessage>(desc: Desc, message: MessageShape<Desc>): Buffer {
  const bytes = toBinary(desc, message);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The chunk that a message is, ready to be written into a frame; undefined for every other message. */
export function chunkOf<Desc extends DescMessage>(desc: Desc, message: MessageShape<Desc>): EncodedChunk | undefined {
  const part = bulkOf(desc);
  if (part === undefined || message.$unknown !== undefined) return undefined;
  const { case: chosen, value } =
    (message as unknown as Record<string, { case?: string; value?: unknown }>)[part.oneof] ?? {};
  const field = chosen === undefined ? undefined : part.fields.get(chosen);
  return field !== undefined && value instanceof Uint8Array ? new EncodedChunk(field.number, value) : undefined;
}

/**
 * What grpc-js needs of a message's Buffer and no more: its length, and `copy` into the frame. The bytes themselves must
 * not change before the write's callback.
 */
export class EncodedChunk {
  /** Length of the encoded message in bytes. */
  readonly length: number;
  readonly #tag: number;
  readonly #head: number;
  readonly #value: Uint8Array;

  constructor(fieldNumber: number, value: Uint8Array) {
    this.#tag = (fieldNumber << 3) | 2;
    this.#head = varintBytes(this.#tag) + varintBytes(value.length);
    this.#value = value;
    this.length = this.#head + value.length;
  }

  get byteLength(): number {
    return this.length;
  }

  /** Writes tag, length, bytes (https://protobuf.dev/programming-guides/encoding/#length-types). */
  copy(target: Uint8Array, at = 0): number {
    writeVarint(target, writeVarint(target, at, this.#tag), this.#value.length);
    target.set(this.#value, at + this.#head);
    return this.length;
  }
}

/**
 * Lets a stream hold two messages that are not read yet, when they may be chunks. grpc-js holds sixteen, which is much for
 * each slow peer, and offers no option; a stream is read only after this.
 */
export function holdFewChunks(desc: DescMessage, stream: Readable): void {
  const { fields } = bulkOf(desc) ?? {};
  const inside = stream as unknown as { readonly _readableState?: { highWaterMark: number } };
  if (fields !== undefined && fields.size > 0 && inside._readableState) inside._readableState.highWaterMark = 2;
}

/** A message that is one oneof and nothing else, with the `bytes` fields of it. */
interface Bulk {
  readonly oneof: string;
  readonly fields: ReadonlyMap<string, DescField>;
}

const known = new WeakMap<DescMessage, Bulk | false>();

function bulkOf(desc: DescMessage): Bulk | undefined {
  let bulk = known.get(desc);
  if (bulk === undefined) {
    const [only, ...others] = desc.members;
    bulk = only?.kind === "oneof" &&
      others.length === 0 && {
        oneof: only.localName,
        fields: new Map(
          only.fields.filter((field) => field.scalar === ScalarType.BYTES).map((field) => [field.localName, field]),
        ),
      };
    known.set(desc, bulk);
  }
  return bulk || undefined;
}

function varintBytes(value: number): number {
  return value < 0x80 ? 1 : 1 + varintBytes(value >>> 7);
}

function writeVarint(into: Uint8Array, at: number, value: number): number {
  if (value < 0x80) {
    into[at] = value;
    return at + 1;
  }
  into[at] = (value & 0x7f) | 0x80;
  return writeVarint(into, at + 1, value >>> 7);
}
