// Who may do what with a folder or document. One function decides, lists its grounds, and serves ExplainAccess as well.
// Grants only add: the highest level that reaches somebody holds.

import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";

/** 0 nothing, 1 viewer, 2 commenter, 3 editor, 4 owner; the numbers of GrantLevel. */
export type Level = 0 | 1 | 2 | 3 | 4;

/** How a principal is written in rows: `person:<id>`, `group:<id>`, `application:<id>`, or `members`. */
export type PrincipalKey = string;

/** All members of the workspace, guests not among them. */
export const members: PrincipalKey = "members";

/** What every workspace begins with: members edit everything, until the grant on the root says otherwise. */
export const defaultMembersLevel: Level = 3;

/** The resource id of the workspace's root. */
export const root = "";

/** What the user service says of somebody in a workspace. */
export interface Standing {
  readonly member: boolean;
  readonly permissions: ReadonlySet<Permission>;
  readonly groupIds: readonly string[];
}

/** Who asks. */
export interface Asker {
  readonly kind: "person" | "application";
  readonly id: string;
}

/** Where a resource lies: its own document id, if it is one, and the folders from the nearest to the uppermost. */
export interface Place {
  readonly documentId?: string;
  readonly folderIds: readonly string[];
}

/** A grant as far as it bears on access. */
export interface GrantFact {
  /** A document's or folder's id, or `root`. */
  readonly resourceId: string;
  readonly principal: PrincipalKey;
  readonly level: Level;
}

/** One thing that gives access. */
export type Ground =
  | { readonly layer: "role"; readonly level: Level }
  | {
      readonly layer: "grant";
      readonly level: Level;
      readonly grant: GrantFact;
      /** The group through which it comes. */
      readonly groupId: string | undefined;
      /** The folders from the one that holds the grant down to the resource; empty when it is on the resource or the root. */
      readonly folderIds: readonly string[];
      /** It is the members' grant as every workspace begins. */
      readonly implicit: boolean;
    };

/** The level over all, and what gives it, the highest first. */
export interface Access {
  readonly level: Level;
  readonly grounds: readonly Ground[];
}

const levels: ReadonlyMap<Permission, Level> = new Map([
  [Permission.DOCUMENT_VIEW, 1],
  [Permission.DOCUMENT_COMMENT, 2],
  [Permission.DOCUMENT_EDIT, 3],
  [Permission.DOCUMENT_OWN, 4],
]);

/** The level that a permission on a document or folder needs; undefined for permissions of other things. */
export function levelFor(permission: Permission): Level | undefined {
  return levels.get(permission);
}

/** The highest level among a role's permissions. */
export function levelOfRole(standing: Standing): Level {
  let highest: Level = 0;
  for (const [permission, level] of levels) {
    if (standing.permissions.has(permission) && level > highest) highest = level;
  }
  return highest;
}

/** Everything whose grants reach somebody. Guests, whose role gives nothing on documents, are not among the members. */
export function principalsOf(asker: Asker, standing: Standing): PrincipalKey[] {
  if (!standing.member) return [];
  const keys = [`${asker.kind}:${asker.id}`, ...standing.groupIds.map((id) => `group:${id}`)];
  if (levelOfRole(standing) > 0) keys.push(members);
  return keys;
}

/**
 * Decides. `grants` are those on the place's resources for the asker's principals; others are passed over.
 * A role that owns documents is a floor under everything. Any other role caps what the members' grants give, so that a
 * role of readers stays one; grants to persons and groups are not capped.
 */
export function accessOf(asker: Asker, standing: Standing, place: Place, grants: readonly GrantFact[]): Access {
  if (!standing.member) return { level: 0, grounds: [] };
  const role = levelOfRole(standing);
  const reaching = new Set(principalsOf(asker, standing));
  const above = [...(place.documentId === undefined ? [] : [place.documentId]), ...place.folderIds, root];
  const grounds: Ground[] = [];
  if (role === 4) grounds.push({ layer: "role", level: 4 });

  const facts = grants.filter((grant) => reaching.has(grant.principal) && above.includes(grant.resourceId));
  const hasDefault = facts.some((grant) => grant.resourceId === root && grant.principal === members);
  const implicit: GrantFact = { resourceId: root, principal: members, level: defaultMembersLevel };
  if (!hasDefault && reaching.has(members)) facts.push(implicit);

  for (const grant of facts) {
    const level = grant.principal === members ? lower(grant.level, role) : grant.level;
    if (level === 0) continue;
    grounds.push({
      layer: "grant",
      level,
      grant,
      groupId: grant.principal.startsWith("group:") ? grant.principal.slice("group:".length) : undefined,
      folderIds: pathFrom(grant.resourceId, place),
      implicit: grant === implicit,
    });
  }
  grounds.sort((a, b) => b.level - a.level);
  return { level: grounds[0]?.level ?? 0, grounds };
}

function lower(a: Level, b: Level): Level {
  return a < b ? a : b;
}

/** The folders from the one with the grant down to the nearest. */
function pathFrom(resourceId: string, place: Place): string[] {
  const at = place.folderIds.indexOf(resourceId);
  if (at < 0) return [];
  // A folder's own grant is on the resource itself, not on the way to it.
  if (at === 0 && place.documentId === undefined) return [];
  return place.folderIds.slice(0, at + 1).reverse();
}

/** Somebody's own key and those of its groups, as a task's assignee is written. */
export function assigneesOf(asker: Asker, standing: Standing): PrincipalKey[] {
  if (!standing.member) return [];
  const own = asker.kind === "person" ? [`person:${asker.id}`] : [];
  return [...own, ...standing.groupIds.map((id) => `group:${id}`)];
}

/** The level on a task that stands alone: there is no document whose grants could say. */
export function levelOnTask(asker: Asker, standing: Standing, assignee: PrincipalKey): Level {
  if (!standing.member) return 0;
  if (standing.permissions.has(Permission.WORKSPACE_MANAGE)) return 4;
  if (standing.permissions.has(Permission.TASK_CREATE)) return 3;
  return assigneesOf(asker, standing).includes(assignee) ? 2 : 0;
}
