// Where a watcher begins, and cursors: a place in the log of each watched workspace, as one opaque text.
import { WatchStart } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { decodeCursor } from "@docket/runtime/changelog/cursor";
import { heads, trimmedUpTo } from "@docket/runtime/changelog/read";
import { AppError } from "@docket/runtime/errors";
import type { DocumentDatabase } from "../store/entities.ts";

/** The number of the last change dealt with, by workspace. */
export type Places = Map<string, number>;

/** Where a watcher begins. */
export interface Beginning {
  readonly places: Places;
  /** Workspaces that the cursor did not have. */
  readonly joined: readonly string[];
  /** Workspaces that the cursor has and the watcher does not watch (any more). */
  readonly left: readonly string[];
}

/** The places after which a watcher of some workspaces is told changes. Throws CURSOR_INVALID or CURSOR_EXPIRED. */
export async function beginningOf(
  db: DocumentDatabase,
  workspaceIds: readonly string[],
  cursor: string,
  start: WatchStart,
): Promise<Beginning> {
  const [newest, oldest] = await Promise.all([heads(db, workspaceIds), trimmedUpTo(db, workspaceIds)]);
  const headOf = (id: string) => newest.get(id) ?? 0;
  if (cursor === "") {
    const from = start === WatchStart.OLDEST ? (id: string) => oldest.get(id) ?? 0 : headOf;
    return { places: new Map(workspaceIds.map((id) => [id, from(id)])), joined: [], left: [] };
  }
  const given = placesOf(cursor);
  const places: Places = new Map();
  for (const id of workspaceIds) {
    const place = given.get(id) ?? headOf(id);
    if (place > headOf(id)) throw cursorInvalid();
    if (place < (oldest.get(id) ?? 0)) throw cursorExpired(id);
    places.set(id, place);
  }
  const joined = workspaceIds.filter((id) => !given.has(id));
  const left = [...given.keys()].filter((id) => !places.has(id));
  // A cursor that has none of them is of another stream.
  if (given.size > 0 && workspaceIds.length > 0 && joined.length === workspaceIds.length) throw cursorInvalid();
  return { places, joined, left };
}

/** The place that a cursor has in one workspace, for subscriptions. Throws CURSOR_INVALID. */
export async function placeIn(db: DocumentDatabase, workspaceId: string, cursor: string): Promise<number> {
  const given = placesOf(cursor);
  const place = given.get(workspaceId);
  const head = (await heads(db, [workspaceId])).get(workspaceId) ?? 0;
  if (place === undefined || given.size !== 1 || place > head) throw cursorInvalid();
  return place;
}

function placesOf(cursor: string): Map<string, number> {
  const given = decodeCursor(cursor);
  if (given === undefined) throw cursorInvalid();
  return given;
}

function cursorInvalid(): AppError {
  return new AppError(Reason.CURSOR_INVALID, { message: "This is no cursor of this stream." });
}

export function cursorExpired(workspaceId: string): AppError {
  return new AppError(Reason.CURSOR_EXPIRED, {
    metadata: { workspace_id: workspaceId },
    message: "The log no longer reaches back to this cursor. List again, then watch from the present.",
  });
}
