import { type Holder, holderKinds } from "../domain/model.ts";
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
