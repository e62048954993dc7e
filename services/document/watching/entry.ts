// A row of the log as watchers need it: decoded once for all of them, and encoded once when it was written. What differs
// from watcher to watcher is appended to those bytes, or the message is made anew where ids must be left out.
import { create, fromBinary, protoInt64, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { type Change, ChangeSchema } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import type { Change as LogRow } from "@docket/runtime/changelog/read";

/** One decoded row. */
export interface Entry {
  readonly change: Change;
  /** The encoded change, but for its cursor. */
  readonly bytes: Uint8Array;
}

/** What a watcher is told, before it gets its cursor. */
export type Told = Entry;

/** The numbers of fields in the contract. */
const sequenceField = ChangeSchema.field.sequence.number;
const cursorField = ChangeSchema.field.cursor.number;

// The tailer hands the same row to all of its followers.
const entries = new WeakMap<LogRow, Entry>();

export function entryOf(row: LogRow): Entry {
  const known = entries.get(row);
  if (known !== undefined) return known;
  const bytes = new BinaryWriter()
    .raw(row.payload)
    .tag(sequenceField, WireType.Varint)
    .int64(protoInt64.parse(row.sequence))
    .finish();
  const entry = { change: fromBinary(ChangeSchema, bytes), bytes };
  entries.set(row, entry);
  return entry;
}

/** A change that is made for one watcher. */
export function toldOf(change: Parameters<typeof create<typeof ChangeSchema>>[1]): Told {
  const message = create(ChangeSchema, change);
  return { change: message, bytes: toBinary(ChangeSchema, message) };
}

/** Changes with their cursors as the repeated field of an answer, without decoding what was encoded before. */
export function encodedChanges(field: number, changes: readonly { readonly told: Told; readonly cursor: string }[]) {
  return changes.map(({ told, cursor }) => {
    const bytes = new BinaryWriter().raw(told.bytes).tag(cursorField, WireType.LengthDelimited).string(cursor).finish();
    return { no: field, wireType: WireType.LengthDelimited, data: new BinaryWriter().bytes(bytes).finish() };
  });
}
