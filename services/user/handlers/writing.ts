/** What all handlers that write have in common: one transaction with its change-log rows, and what is checked in it. */
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { type Permission, PermissionSchema } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { UserChangeSchema } from "@docket/contracts/gen/docket/user/v1/user_change_pb.ts";
import { enumName } from "@docket/contracts/policy";
import type { Subject } from "@docket/runtime/call";
import { appendChanges } from "@docket/runtime/changelog/append";
import { isUniqueViolation } from "@docket/runtime/db/database";
import type { Page } from "@docket/runtime/db/page";
import { AppError, invalidArgument } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import { type Holder, holderKinds } from "../domain/model.ts";
import { isTimeZone } from "../domain/names.ts";
import type { Tx } from "../store/database.ts";
import { lockWorkspace } from "../store/workspace_store.ts";
import type { Deps } from "./deps.ts";

type Event = NonNullable<MessageInitShape<typeof UserChangeSchema>["event"]>;

/** A transaction with the changes that it will tell others of. */
export interface Write {
  readonly tx: Tx;
  readonly now: Date;
  /** Notes what other services must learn. */
  tell(event: Event): void;
  /** Takes a workspace's lock and tells that access in it changed. */
  lock(workspaceId: string): Promise<void>;
}

/** The log of this service has one partition: its changes are few, and watchers want all of them. */
export const changePartition = "";

/** What a transaction needs. */
export type WriteDeps = Pick<Deps, "db" | "clock">;

/** Runs one transaction; its change-log rows are the last it writes. */
export function writing<Result>(deps: WriteDeps, run: (write: Write) => Promise<Result>): Promise<Result> {
  return deps.db.transaction((tx) => writeIn(deps, tx, run));
}

/** Like {@link writing}, in a transaction that is open already. */
export async function writeIn<Result>(
  { clock }: Pick<Deps, "clock">,
  tx: Tx,
  run: (write: Write) => Promise<Result>,
): Promise<Result> {
  const now = clock();
  const events: Event[] = [];
  const locked = new Set<string>();
  const result = await run({
    tx,
    now,
    tell: (event) => events.push(event),
    async lock(workspaceId) {
      if (locked.has(workspaceId)) return;
      locked.add(workspaceId);
      const epoch = await lockWorkspace(tx, workspaceId);
      events.push({ case: "accessChanged", value: { workspaceId, epoch: String(epoch) } });
    },
  });
  if (events.length > 0) {
    await appendChanges(
      tx,
      changePartition,
      events.map((event) => ({
        kind: event.case ?? "",
        payload: toBinary(
          UserChangeSchema,
          create(UserChangeSchema, { id: newId(), time: timestampFromDate(now), event }),
        ),
      })),
      () => now,
    );
  }
  return result;
}

/** The one who calls, as a holder of roles. */
export function holderOfSubject(subject: Subject): Holder {
  return { kind: subject.kind === "person" ? holderKinds.person : holderKinds.application, id: subject.id };
}

/** Refuses what was changed by somebody else meanwhile. An absent etag checks nothing. */
export function checkEtag(given: string | undefined, version: number): void {
  if (given === undefined || given === String(version)) return;
  throw new AppError(Reason.ETAG_MISMATCH, { metadata: { etag: String(version) } });
}

/** Refuses with PERMISSION_DENIED when a permission is lacking. */
export function refuseLacking(permission: Permission | undefined): void {
  if (permission === undefined) return;
  throw new AppError(Reason.PERMISSION_DENIED, { metadata: { permission: enumName(PermissionSchema, permission) } });
}

/** Refuses when there are as many as there may be. */
export function refuseAtLimit(count: number, limit: number): void {
  if (count >= limit) throw new AppError(Reason.LIMIT_REACHED, { metadata: { limit: String(limit) } });
}

/** An empty zone is allowed: none was chosen. */
export function checkTimeZone(field: string, zone: string): void {
  if (zone === "" || isTimeZone(zone)) return;
  throw invalidArgument([
    { field, rule: "time_zone", description: "must be an IANA time zone, such as Europe/Zurich" },
  ]);
}

/** A name that the mask names must not be empty. */
export function checkName(field: string, name: string): void {
  if (name.trim() !== "") return;
  throw invalidArgument([{ field, rule: "string.min_len", description: "must hold a character that is not a blank" }]);
}

/** Turns a unique violation into NAME_TAKEN. */
export async function uniqueName<Result>(name: string, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (isUniqueViolation(error)) throw new AppError(Reason.NAME_TAKEN, { metadata: { name }, cause: error });
    throw error;
  }
}

/** The key after which a page begins, when it has the shape that this list gives. */
export function afterKeyOf<const Kinds extends readonly ("string" | "number")[]>(
  page: Page,
  ...kinds: Kinds
): { -readonly [K in keyof Kinds]: Kinds[K] extends "string" ? string : number } | undefined {
  const { after } = page;
  if (after === undefined) return undefined;
  const fits = after.length === kinds.length && after.every((value, index) => typeof value === kinds[index]);
  if (!fits) throw new AppError(Reason.PAGE_TOKEN_INVALID);
  return after as never;
}

/** Cuts a list that was asked for one row more than the page holds. */
export function cutPage<Row>(rows: Row[], page: Page, keyOf: (row: Row) => readonly (string | number)[]) {
  const shown = rows.slice(0, page.size);
  const last = shown.at(-1);
  const more = rows.length > page.size && last !== undefined;
  return { rows: shown, nextPageToken: more ? page.tokenAfter(keyOf(last)) : "" };
}
