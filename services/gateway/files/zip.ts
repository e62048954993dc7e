// ZIP files that are written while their contents are read: stored, not compressed, so that the length is known before
// the first byte. Neither library of this kind does all of it: client-zip writes no ZIP64 record for more than 65,535
// entries, and yazl foretells a wrong length and looks through all entries at each one.

import { crc32 } from "node:zlib";

/** A file or, with `/` at the end of its path, a folder. */
export interface ZipEntry {
  readonly path: string;
  /** In bytes; 0 for a folder. */
  readonly size: number;
  /** When it changed last, in milliseconds since 1970. */
  readonly time: number;
}

/** From this on a 32-bit field says "see the ZIP64 field". */
const zip64At = 0xffffffff;
const mostEntriesOf32 = 0xffff;
const localLength = 30;
const centralLength = 46;
const timeLength = 9;
const zip64LocalLength = 20;
const endLength = 22;
const zip64EndLength = 56 + 20;
/** About how many bytes of the directory go out at once. */
const directoryPiece = 64 * 1024;

/** The length of the whole file. */
export function zipLength(entries: readonly ZipEntry[]): number {
  let offset = 0;
  let directory = 0;
  for (const entry of entries) {
    directory += centralLength + Buffer.byteLength(entry.path) + timeLength + zip64CentralLength(entry, offset);
    offset += lengthOf(entry);
  }
  return offset + directory + endLength + (needsZip64End(entries.length, offset, directory) ? zip64EndLength : 0);
}

/**
 * The bytes of the file. Contents are asked for when their turn comes, and no faster than the pieces are taken; what is
 * not exactly as long as its entry says ends the file with an error.
 */
export async function* zip<Entry extends ZipEntry>(
  entries: readonly Entry[],
  contentsOf: (entry: Entry) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const checksums = new Uint32Array(entries.length);
  for (const [at, entry] of entries.entries()) {
    // It goes out with the first piece, so that contents that cannot be read at all fail before anything is sent.
    let header: Buffer | undefined = localHeader(entry);
    let [length, checksum] = [0, 0];
    if (!isFolder(entry)) {
      for await (const piece of contentsOf(entry)) {
        length += piece.byteLength;
        if (length > entry.size) break;
        checksum = crc32(piece, checksum);
        if (header !== undefined) yield header;
        header = undefined;
        yield piece;
      }
      if (length !== entry.size) throw new Error("the contents of an entry are not as long as was said");
    }
    checksums[at] = checksum;
    if (header !== undefined) yield header;
    if (isDescribed(entry)) yield descriptor(entry, checksum);
  }
  yield* directory(entries, checksums);
}

function isFolder({ path }: ZipEntry): boolean {
  return path.endsWith("/");
}

/** Whether checksum and sizes follow the contents; where there are none, they are known before. */
function isDescribed({ size }: ZipEntry): boolean {
  return size > 0;
}

function isLarge({ size }: ZipEntry): boolean {
  return size >= zip64At;
}

/** How many bytes an entry takes up before the directory. */
function lengthOf(entry: ZipEntry): number {
  const extra = timeLength + (isLarge(entry) ? zip64LocalLength : 0);
  const described = isDescribed(entry) ? (isLarge(entry) ? 24 : 16) : 0;
  return localLength + Buffer.byteLength(entry.path) + extra + entry.size + described;
}

function zip64CentralLength(entry: ZipEntry, offset: number): number {
  const fields = (isLarge(entry) ? 16 : 0) + (offset >= zip64At ? 8 : 0);
  return fields === 0 ? 0 : 4 + fields;
}

function needsZip64End(count: number, offset: number, directory: number): boolean {
  return count >= mostEntriesOf32 || offset >= zip64At || directory >= zip64At;
}

/** Bytes, written one field after the other. */
class Fields {
  readonly bytes: Buffer;
  #at = 0;

  constructor(length: number) {
    this.bytes = Buffer.alloc(length);
  }

  u16(...values: number[]): this {
    for (const value of values) this.#at = this.bytes.writeUInt16LE(value, this.#at);
    return this;
  }

  u32(...values: number[]): this {
    for (const value of values) this.#at = this.bytes.writeUInt32LE(value, this.#at);
    return this;
  }

  u64(...values: number[]): this {
    for (const value of values) this.#at = this.bytes.writeBigUInt64LE(BigInt(value), this.#at);
    return this;
  }

  raw(bytes: Buffer): this {
    this.#at += bytes.copy(this.bytes, this.#at);
    return this;
  }
}

/** Version needed, flags (UTF-8; sizes follow), method (stored), time and date: the same in header and directory. */
function common(fields: Fields, entry: ZipEntry, zip64: boolean): Fields {
  const { time, date } = dosTime(entry.time);
  return fields.u16(zip64 ? 45 : 20, 0x0800 | (isDescribed(entry) ? 0x0008 : 0), 0, time, date);
}

function localHeader(entry: ZipEntry): Buffer {
  const path = Buffer.from(entry.path);
  const large = isLarge(entry);
  const extra = timeLength + (large ? zip64LocalLength : 0);
  const fields = new Fields(localLength + path.length + extra).u32(0x04034b50);
  const size = large ? zip64At : 0;
  common(fields, entry, large).u32(0, size, size).u16(path.length, extra).raw(path);
  timeField(fields, entry);
  if (large) fields.u16(1, zip64LocalLength - 4).u64(0, 0);
  return fields.bytes;
}

function descriptor(entry: ZipEntry, checksum: number): Buffer {
  const large = isLarge(entry);
  const fields = new Fields(large ? 24 : 16).u32(0x08074b50, checksum);
  return (large ? fields.u64(entry.size, entry.size) : fields.u32(entry.size, entry.size)).bytes;
}

function* directory(entries: readonly ZipEntry[], checksums: Uint32Array): Generator<Buffer> {
  let [offset, length] = [0, 0];
  let piece: Buffer[] = [];
  let pieceLength = 0;
  for (const [at, entry] of entries.entries()) {
    const record = centralRecord(entry, checksums[at] ?? 0, offset);
    offset += lengthOf(entry);
    length += record.length;
    piece.push(record);
    pieceLength += record.length;
    if (pieceLength < directoryPiece) continue;
    yield Buffer.concat(piece);
    piece = [];
    pieceLength = 0;
  }
  yield Buffer.concat([...piece, ...endRecords(entries.length, offset, length)]);
}

function centralRecord(entry: ZipEntry, checksum: number, offset: number): Buffer {
  const path = Buffer.from(entry.path);
  const [large, far] = [isLarge(entry), offset >= zip64At];
  const zip64Length = zip64CentralLength(entry, offset);
  const extra = timeLength + zip64Length;
  const size = large ? zip64At : entry.size;
  // Made by Unix, so that the mode below counts: a file that its owner writes and all read, or such a folder.
  const mode = isFolder(entry) ? ((0o40755 << 16) | 0x10) >>> 0 : (0o100644 << 16) >>> 0;
  const fields = new Fields(centralLength + path.length + extra).u32(0x02014b50).u16((3 << 8) | 45);
  common(fields, entry, large || far)
    .u32(checksum, size, size)
    .u16(path.length, extra, 0, 0, 0)
    .u32(mode, far ? zip64At : offset)
    .raw(path);
  timeField(fields, entry);
  if (zip64Length > 0) fields.u16(1, zip64Length - 4);
  if (large) fields.u64(entry.size, entry.size);
  if (far) fields.u64(offset);
  return fields.bytes;
}

function endRecords(count: number, offset: number, length: number): Buffer[] {
  const records: Buffer[] = [];
  if (needsZip64End(count, offset, length)) {
    const end = new Fields(zip64EndLength)
      .u32(0x06064b50)
      .u64(44)
      .u16((3 << 8) | 45, 45);
    end.u32(0, 0).u64(count, count, length, offset);
    end
      .u32(0x07064b50, 0)
      .u64(offset + length)
      .u32(1);
    records.push(end.bytes);
  }
  const shown = Math.min(count, mostEntriesOf32);
  const end = new Fields(endLength).u32(0x06054b50).u16(0, 0, shown, shown);
  records.push(end.u32(Math.min(length, zip64At), Math.min(offset, zip64At)).u16(0).bytes);
  return records;
}

/** The time in UTC, which the old field, a local time to two seconds, cannot say. */
function timeField(fields: Fields, { time }: ZipEntry): void {
  const seconds = Math.min(Math.max(Math.floor(time / 1000), 0), 0x7fffffff);
  const flags = Buffer.from([1]);
  fields
    .u16(0x5455, timeLength - 4)
    .raw(flags)
    .u32(seconds);
}

function dosTime(at: number): { time: number; date: number } {
  const when = new Date(Math.min(Math.max(at, Date.UTC(1980, 0, 1)), Date.UTC(2107, 11, 31, 23, 59, 58)));
  const time = (when.getUTCHours() << 11) | (when.getUTCMinutes() << 5) | (when.getUTCSeconds() >> 1);
  const date = ((when.getUTCFullYear() - 1980) << 9) | ((when.getUTCMonth() + 1) << 5) | when.getUTCDate();
  return { time, date };
}
