// What people, groups and applications are called: ids stand in everything, names in one place. Asked for in one call per
// page of ids, remembered for as long as the page is open; who left is called what they were called then.

import type { Actor } from "@docket/contracts/gen/docket/document/v1/actor_pb.ts";

/** So many are asked for at once. */
const idsAtOnce = 200;

export function useNames() {
  const workspaces = useWorkspaces();
  const { user } = useSession();
  const { t } = useI18n();
  /** Names by id. */
  const known = useState<Record<string, string>>("names", () => ({}));
  /** What was asked for in vain, as workspace and id: another workspace may know it. */
  const absent = useState<Record<string, true>>("names absent", () => ({}));

  /** Remembers what was learnt in another way, for example from a list. */
  function learn(named: readonly { readonly id: string; readonly name: string }[]): void {
    known.value = { ...known.value, ...Object.fromEntries(named.map(({ id, name }) => [id, name])) };
  }

  /** Learns what these are called. Nothing fails: what cannot be learnt now is asked for again later. */
  async function know(ids: readonly (string | undefined)[], workspaceId: string): Promise<void> {
    const keyOf = (id: string) => `${workspaceId}/${id}`;
    const given = [...new Set(ids)].filter((id) => id !== undefined && id !== "") as string[];
    const unknown = given.filter((id) => known.value[id] === undefined && absent.value[keyOf(id)] === undefined);
    const parts = Array.from({ length: Math.ceil(unknown.length / idsAtOnce) }, (_, at) =>
      unknown.slice(at * idsAtOnce, (at + 1) * idsAtOnce),
    );
    await Promise.all(
      parts.map(async (part) => {
        const found = await workspaces.names(workspaceId, part).catch(() => undefined);
        if (found === undefined) return;
        learn(found.map(({ principal, name }) => ({ id: principal?.id ?? "", name })));
        const missing = part.filter((id) => known.value[id] === undefined);
        absent.value = { ...absent.value, ...Object.fromEntries(missing.map((id) => [keyOf(id), true as const])) };
      }),
    );
  }

  /** The name of a person, group or application; words where it is not known. */
  function nameOf(id: string): string {
    if (id === user.value?.id) return user.value.displayName;
    return known.value[id] || t("somebody");
  }

  return {
    know,
    learn,
    /** Learns who did something. */
    async knowActors(actors: readonly (Actor | undefined)[], workspaceId: string): Promise<void> {
      await know(
        actors.map((each) => each?.actor.value),
        workspaceId,
      );
    },
    nameOf,
    actorName(actor: Actor | undefined): string {
      return actor?.actor.value === undefined ? t("theSystem") : nameOf(actor.actor.value);
    },
  };
}
