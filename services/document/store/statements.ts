// What statements of several stores share.
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { AppError } from "@docket/runtime/errors";
import type { UpdateResult } from "kysely";

/** A list in parts, for statements whose number of parameters is limited. */
export function chunks<T>(list: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < list.length; at += size) parts.push(list.slice(at, at + size));
  return parts;
}

/** Throws CONFLICT when a row was changed by another transaction after this one read it; SQLite's one writer never does. */
export function refuseLost(changed: UpdateResult): void {
  if (changed.numUpdatedRows === 0n) throw new AppError(Reason.CONFLICT);
}

/** As the databases compare: by bytes of UTF-8, which is by code points and not by UTF-16 units. */
export function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
