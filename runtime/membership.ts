// Who belongs to which workspace, as the user service says. An answer is kept for a second at most and dropped earlier
// when something changed; without an answer nobody is let in.

import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import type { MembershipService } from "@docket/contracts/gen/docket/user/v1/membership_service_pb.ts";
import { PrincipalKind } from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";
import type { Client } from "@connectrpc/connect";
import { type Call, headerNames, type Subject } from "./call.ts";
import { type Clock, systemClock } from "./clock.ts";
import { AppError } from "./errors.ts";

/** What somebody is in a workspace. */
export interface Membership {
  /** Whether it belongs to the workspace at all. */
  readonly member: boolean;
  /** What its roles allow, direct and through groups. A key's scopes are not taken off: the chain checks those by itself. */
  readonly permissions: ReadonlySet<Permission>;
  /** All groups it is in, directly or through others. */
  readonly groupIds: readonly string[];
  /** Changes with everything that bears on access in the workspace. */
  readonly epoch: string;
  /** The role that it holds directly; "" = none. */
  readonly roleId: string;
}

/** Somebody about whom one may ask. */
export type Member = Pick<Subject, "kind" | "id" | "workspaceId">;

/** Answers about memberships, kept for a moment. */
export interface MembershipCache {
  /**
   * What a subject is in a workspace, not older than a second. A key's subject is nothing in any workspace but its own.
   * Calls for the same share one question. Throws UNAVAILABLE when the user service does not answer, and what aborted the
   * call when that ends first.
   */
  of(subject: Member, workspaceId: string, call: Pick<Call, "requestId" | "signal">): Promise<Membership>;
  /** Drops what is kept about a workspace or a subject, and answers on their way; called when something changed. */
  forget(workspaceOrSubjectId: string): void;
  /** Drops everything; called when changes may have been missed. */
  forgetAll(): void;
}

/** What the cache is made from. */
export interface MembershipCacheOptions {
  readonly client: Pick<Client<typeof MembershipService>, "getMembership">;
  readonly clock?: Clock;
}

/** How long an answer is used, counted from when it was asked for, in milliseconds. */
export const membershipCacheMs = 1000;

const maxEntries = 10_000;

interface Entry {
  readonly subjectId: string;
  readonly workspaceId: string;
  readonly askedAt: number;
  readonly answer: Promise<Membership>;
}

/** Makes an empty cache. */
export function createMembershipCache({ client, clock = systemClock }: MembershipCacheOptions): MembershipCache {
  const entries = new Map<string, Entry>();

  const ask = (key: string, { kind, id }: Member, workspaceId: string, requestId: string): Entry => {
    // The question is shared, so it must not end with the call of the one who asked first: the contract bounds its time.
    const answer = client
      .getMembership(
        { subject: { kind: kind === "person" ? PrincipalKind.PERSON : PrincipalKind.APPLICATION, id }, workspaceId },
        { headers: { [headerNames.requestId]: requestId } },
      )
      .then(
        ({ member, permissions, groupIds, epoch, roleId }): Membership => ({
          member,
          permissions: new Set(permissions),
          groupIds,
          epoch,
          roleId,
        }),
        (cause: unknown) => {
          if (entries.get(key) === entry) entries.delete(key);
          throw new AppError(Reason.UNAVAILABLE, { cause });
        },
      );
    // Everybody who waits may have gone away by the time it fails.
    answer.catch(() => undefined);
    const entry: Entry = { subjectId: id, workspaceId, askedAt: clock().getTime(), answer };
    entries.delete(key);
    entries.set(key, entry);
    if (entries.size > maxEntries) entries.delete(entries.keys().next().value ?? "");
    return entry;
  };

  return {
    of(subject, workspaceId, call) {
      if (subject.workspaceId !== undefined && subject.workspaceId !== workspaceId) return Promise.resolve(nobody);
      const key = `${subject.kind} ${subject.id} ${workspaceId}`;
      const known = entries.get(key);
      const fresh = known !== undefined && clock().getTime() - known.askedAt < membershipCacheMs;
      const { answer } = fresh ? known : ask(key, subject, workspaceId, call.requestId);
      return unlessAborted(answer, call.signal);
    },
    forget(id) {
      for (const [key, entry] of entries) {
        if (entry.workspaceId === id || entry.subjectId === id) entries.delete(key);
      }
    },
    forgetAll() {
      entries.clear();
    },
  };
}

const nobody: Membership = { member: false, permissions: new Set(), groupIds: [], epoch: "", roleId: "" };

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
