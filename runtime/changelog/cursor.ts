/**
 * Cursors: a position per partition, as one opaque text. Binary, since a subject may follow hundreds of workspaces:
 * version, then per partition a tag, its name (a UUID takes 16 bytes) and the number, then a CRC that finds garbage.
 */
import { crc32 } from "node:zlib";

/** The last number that was dealt with, per partition. */
export type Positions = ReadonlyMap<string, number>;

const VERSION = 1;
const TAG_UUID = 0;
const TAG_TEXT = 1;
const CRC_BYTES = 4;
const NUMBER_BYTES = 6;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The cursor of these positions; the same positions give the same text. */
export function encodeCursor(positions: Positions): string {
  const parts: Buffer[] = [Buffer.from([VERSION])];
  for (const [partition, sequence] of [...positions].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (UUID.test(partition)) {
      parts.push(Buffer.from([TAG_UUID]), Buffer.from(partition.replaceAll("-", ""), "hex"));
    } else {
      const name = Buffer.from(partition);
      parts.push(Buffer.from([TAG_TEXT, name.length]), name);
    }
    const number = Buffer.alloc(NUMBER_BYTES);
    number.writeUIntBE(sequence, 0, NUMBER_BYTES);
    parts.push(number);
  }
  const body = Buffer.concat(parts);
  const check = Buffer.alloc(CRC_BYTES);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([body, check]).toString("base64url");
}

/** The positions of a cursor, or undefined when nobody gave it. The caller still asks who may read those partitions. */
export function decodeCursor(cursor: string): Map<string, number> | undefined {
  const bytes = Buffer.from(cursor, "base64url");
  const end = bytes.length - CRC_BYTES;
  if (end < 1 || bytes[0] !== VERSION || bytes.readUInt32BE(end) !== crc32(bytes.subarray(0, end))) return undefined;
  const positions = new Map<string, number>();
  let at = 1;
  while (at < end) {
    const tag = bytes[at];
    const nameAt = tag === TAG_UUID ? at + 1 : at + 2;
    const nameEnd = tag === TAG_UUID ? nameAt + 16 : nameAt + (bytes[at + 1] ?? 0);
    if ((tag !== TAG_UUID && tag !== TAG_TEXT) || nameEnd + NUMBER_BYTES > end) return undefined;
    const name = bytes.subarray(nameAt, nameEnd);
    positions.set(tag === TAG_UUID ? uuidOf(name) : name.toString(), bytes.readUIntBE(nameEnd, NUMBER_BYTES));
    at = nameEnd + NUMBER_BYTES;
  }
  return positions;
}

function uuidOf(bytes: Buffer): string {
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
