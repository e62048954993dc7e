// Messages to bytes. A chunk of a file, which is a message of nothing but one `bytes` field, is copied once into a buffer
// of the right size, where the general encoder copies it several times.

import { type DescField, type DescMessage, type MessageShape, ScalarType, toBinary } from "@bufbuild/protobuf";

/** Encodes a message as protobuf. */
export function encode<Desc extends DescMessage>(desc: Desc, message: MessageShape<Desc>): Buffer {
  const part = bulkOf(desc);
  if (part !== undefined && message.$unknown === undefined) {
    const { case: chosen, value } =
      (message as unknown as Record<string, { case?: string; value?: unknown }>)[part.oneof] ?? {};
    const field = chosen === undefined ? undefined : part.fields.get(chosen);
    if (field !== undefined && value instanceof Uint8Array) return encodeBytes(field, value);
  }
  const bytes = toBinary(desc, message);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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

/** Tag, length, bytes (https://protobuf.dev/programming-guides/encoding/#length-types). */
function encodeBytes(field: DescField, value: Uint8Array): Buffer {
  const tag = (field.number << 3) | 2;
  const head = varintBytes(tag) + varintBytes(value.length);
  const encoded = Buffer.allocUnsafe(head + value.length);
  writeVarint(encoded, writeVarint(encoded, 0, tag), value.length);
  encoded.set(value, head);
  return encoded;
}

function varintBytes(value: number): number {
  return value < 0x80 ? 1 : 1 + varintBytes(value >>> 7);
}

function writeVarint(into: Buffer, at: number, value: number): number {
  if (value < 0x80) {
    into[at] = value;
    return at + 1;
  }
  into[at] = (value & 0x7f) | 0x80;
  return writeVarint(into, at + 1, value >>> 7);
}
