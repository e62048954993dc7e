import { type Holder, type HolderKind, holderKinds } from "../domain/model.ts";
import { findApplications } from "./application_store.ts";
import type { Db } from "./database.ts";
import { findGroups } from "./group_store.ts";

/** Somebody's name. */
export interface Named extends Holder {
  readonly name: string;
  /** In the workspace now, and not disabled. */
  readonly active: boolean;
}

/** The names of persons, groups and applications, in the order asked; unknown ones are left out. */
export async function namesOf(db: Db, workspaceId: string, holders: readonly Holder[]): Promise<Named[]> {
  const idsOf = (kind: number) => holders.filter((holder) => holder.kind === kind).map((holder) => holder.id);
  const found = new Map<string, Named>();
  const note = (named: Named) => found.set(`${named.kind} ${named.id}`, named);
  const persons = idsOf(holderKinds.person);
  if (persons.length > 0) {
    const rows = await db
      .selectFrom("account")
      .leftJoin("member", (join) =>
        join.onRef("member.user_id", "=", "account.id").on("member.workspace_id", "=", workspaceId),
      )
      .select(["account.id", "account.display_name", "account.disabled_at", "member.user_id"])
      .where("account.id", "in", persons)
      .execute();
    for (const row of rows) {
      const active = row.user_id !== null && row.disabled_at === null;
      note({ kind: holderKinds.person, id: row.id, name: row.display_name, active });
    }
  }
  for (const { id, name } of await findGroups(db, workspaceId, idsOf(holderKinds.group))) {
    note({ kind: holderKinds.group, id, name, active: true });
  }
  for (const { id, name } of await findApplications(db, workspaceId, idsOf(holderKinds.application))) {
    note({ kind: holderKinds.application, id, name, active: true });
  }
  return holders.flatMap(({ kind, id }) => found.get(`${kind} ${id}`) ?? []);
}

/** Somebody's name in a workspace. */
export interface NameIn extends Holder {
  readonly name: string;
  /** It is of the workspace no longer; the name is that of then. */
  readonly former: boolean;
}

/** The names of who and what is or was of a workspace, in the order asked; all others are left out. */
export async function namesIn(db: Db, workspaceId: string, ids: readonly string[]): Promise<NameIn[]> {
  const wanted = ids.map((id) => id.toLowerCase());
  if (wanted.length === 0) return [];
  const found = new Map<string, NameIn>();
  const former = await db
    .selectFrom("former_principal")
    .select(["principal_id", "kind", "name"])
    .where("workspace_id", "=", workspaceId)
    .where("principal_id", "in", wanted)
    .execute();
  for (const row of former) {
    found.set(row.principal_id, { kind: row.kind as HolderKind, id: row.principal_id, name: row.name, former: true });
  }
  const persons = await db
    .selectFrom("member")
    .innerJoin("account", "account.id", "member.user_id")
    .select(["account.id", "account.display_name"])
    .where("member.workspace_id", "=", workspaceId)
    .where("member.user_id", "in", wanted)
    .execute();
  // Who came back is no former member.
  for (const { id, display_name } of persons) {
    found.set(id, { kind: holderKinds.person, id, name: display_name, former: false });
  }
  for (const { id, name } of await findGroups(db, workspaceId, wanted)) {
    found.set(id, { kind: holderKinds.group, id, name, former: false });
  }
  for (const { id, name } of await findApplications(db, workspaceId, wanted)) {
    found.set(id, { kind: holderKinds.application, id, name, former: false });
  }
  return wanted.flatMap((id) => found.get(id) ?? []);
}

/** Keeps the name of who or what is about to leave a workspace. */
export async function noteFormer(db: Db, workspaceId: string, holder: Holder): Promise<void> {
  const [named] = (await namesIn(db, workspaceId, [holder.id])).filter(({ former }) => !former);
  if (named === undefined) return;
  await db
    .deleteFrom("former_principal")
    .where("workspace_id", "=", workspaceId)
    .where("principal_id", "=", holder.id)
    .execute();
  await db
    .insertInto("former_principal")
    .values({ workspace_id: workspaceId, principal_id: holder.id, kind: holder.kind, name: named.name })
    .execute();
}
