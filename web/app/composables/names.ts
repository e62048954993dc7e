// What people, groups and applications are called: ids stand in everything, names in one place.

import type { Actor } from "@docket/contracts/gen/docket/document/v1/actor_pb.ts";

/** So many are asked for at once. */
const idsAtOnce = 200;

export function useNames() {
  const workspaces = useWorkspaces();
  const { user } = useSession();
  const { t } = useI18n();
  /** Names by id. An empty one: nobody is known by it. */
  const known = useState<Record<string, string>>("names", () => ({}));

  /** Learns what these are called. Nothing fails: what cannot be learnt now is asked for again later. */
  async function know(ids: readonly (string | undefined)[], workspaceId: string): Promise<void> {
    const unknown = [...new Set(ids)].filter((id) => id !== undefined && id !== "" && known.value[id] === undefined);
    for (let at = 0; at < unknown.length; at += idsAtOnce) {
      const part = unknown.slice(at, at + idsAtOnce) as string[];
      const found = await workspaces.names(workspaceId, part).catch(() => undefined);
      if (found === undefined) return;
      const absent = Object.fromEntries(part.map((id) => [id, ""]));
      const named = Object.fromEntries(found.map(({ principal, name }) => [principal?.id ?? "", name]));
      known.value = { ...absent, ...known.value, ...named };
    }
  }

  /** The name of a person, group or application; words where it is not known. */
  function nameOf(id: string): string {
    if (id === user.value?.id) return user.value.displayName;
    return known.value[id] || t("somebody");
  }

  return {
    know,
    knowPeople: know,
    knowGroups: know,
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
