// What people, groups and applications are called: ids stand in everything, names in one place.

import { createClient } from "@connectrpc/connect";
import type { Actor } from "@docket/contracts/gen/docket/document/v1/actor_pb.ts";
import { UserService } from "@docket/contracts/gen/docket/user/v1/user_service_pb.ts";

/** So many are asked for one by one; for more a list is read. */
const fewIds = 4;

export function useNames() {
  const users = useClient(UserService);
  const { $transport } = useNuxtApp();
  const { user } = useSession();
  const { t } = useI18n();
  /** Names by id. An empty one: it cannot be known. */
  const known = useState<Record<string, string>>("names", () => ({}));

  function learn(found: Record<string, string>): void {
    known.value = { ...known.value, ...found };
  }

  async function one(id: string): Promise<void> {
    const answer = await users.getUser({ userId: id }).catch(() => undefined);
    learn({ [id]: answer?.user?.displayName ?? "" });
  }

  /** Learns what these people are called. What cannot be learnt has no name; nothing fails. */
  async function knowPeople(ids: readonly string[], workspaceId: string): Promise<void> {
    const unknown = () => [...new Set(ids)].filter((id) => id !== "" && known.value[id] === undefined);
    if (unknown().length > fewIds) {
      const page = await users.listUsers({ workspaceId, pageSize: 200 }).catch(() => undefined);
      learn(Object.fromEntries((page?.users ?? []).map(({ id, displayName }) => [id, displayName])));
    }
    await Promise.all(unknown().slice(0, 50).map(one));
  }

  /** Learns what groups are called, if one of these is not known yet. */
  async function knowGroups(ids: readonly string[], workspaceId: string): Promise<void> {
    if (ids.every((id) => known.value[id] !== undefined)) return;
    // Groups and applications are seldom met; what is known of their services comes then.
    const { GroupService } = await import("@docket/contracts/gen/docket/user/v1/group_service_pb.ts");
    const groups = createClient(GroupService, $transport);
    const found: Record<string, string> = Object.fromEntries(ids.map((id) => [id, ""]));
    try {
      for (let pageToken = ""; ; ) {
        const page = await groups.listGroups({ workspaceId, pageSize: 200, pageToken });
        for (const { id, name } of page.groups) found[id] = name;
        pageToken = page.nextPageToken;
        if (pageToken === "") break;
      }
    } catch {
      // Who may not see groups sees none of their names.
    }
    learn(found);
  }

  /** Learns what applications are called. */
  async function knowApplications(ids: readonly string[], workspaceId: string): Promise<void> {
    const unknown = [...new Set(ids)].filter((id) => known.value[id] === undefined);
    if (unknown.length === 0) return;
    const { ApiKeyService } = await import("@docket/contracts/gen/docket/user/v1/api_key_service_pb.ts");
    const applications = createClient(ApiKeyService, $transport);
    await Promise.all(
      unknown.map(async (id) => {
        const answer = await applications.getApplication({ workspaceId, applicationId: id }).catch(() => undefined);
        learn({ [id]: answer?.application?.name ?? "" });
      }),
    );
  }

  /** Learns who did something. */
  async function knowActors(actors: readonly (Actor | undefined)[], workspaceId: string): Promise<void> {
    const ids = (kind: "personId" | "applicationId") =>
      actors.flatMap((each) => (each?.actor.case === kind ? [each.actor.value] : []));
    await Promise.all([knowPeople(ids("personId"), workspaceId), knowApplications(ids("applicationId"), workspaceId)]);
  }

  /** The name of a person, group or application; words where it is not known. */
  function nameOf(id: string): string {
    if (id === user.value?.id) return user.value.displayName;
    return known.value[id] || t("somebody");
  }

  function actorName(actor: Actor | undefined): string {
    return actor?.actor.value === undefined ? t("theSystem") : nameOf(actor.actor.value);
  }

  return { knowPeople, knowGroups, knowApplications, knowActors, nameOf, actorName };
}
