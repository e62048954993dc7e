// A subject as it is written into a hot copy, and who ends it.

import type { Subject } from "@docket/runtime/call";

/** Undefined for what this release does not understand. */
export function copiedSubject(text: string): Subject | undefined {
  let copy: Partial<Record<keyof Subject, unknown>>;
  try {
    copy = JSON.parse(text) as typeof copy;
  } catch {
    return undefined;
  }
  const { kind, id, token, expiresAt } = copy;
  const whole =
    (kind === "person" || kind === "application") &&
    typeof id === "string" &&
    typeof token === "string" &&
    typeof expiresAt === "number";
  return whole ? (copy as Subject) : undefined;
}

/** The ids with whose end the subject ends: see endedBy of @docket/runtime/user_changes. */
export function ownersOf({ id, sessionId, keyId, workspaceId }: Subject): string[] {
  return [id, sessionId, keyId, workspaceId].filter((owner) => owner !== undefined);
}
