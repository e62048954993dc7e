// What the visitor may do in a workspace: by its own role, and by roles of groups that it is in. Pages hide or explain by
// it; the server decides.

import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { PrincipalKind } from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";
import type { Role } from "@docket/contracts/gen/docket/user/v1/role_pb.ts";
import type { InjectionKey } from "vue";

/** What is known of the visitor's place in a workspace, and of its roles. */
export interface Standing {
  readonly workspaceId: string;
  readonly roles: readonly Role[];
  readonly permissions: readonly Permission[];
}

export function useStandings() {
  const roles = useRoles();
  const groups = useGroups();
  const { user, workspaces } = useSession();

  /** The groups that the visitor is in, directly or through others, among these. */
  async function ownGroups(workspaceId: string, ids: readonly string[]): Promise<string[]> {
    const isIn = async (groupId: string, above: readonly string[]): Promise<boolean> => {
      const members = await groups.members(workspaceId, groupId);
      if (members.some(({ principal }) => principal?.id === user.value?.id)) return true;
      const inner = members.flatMap(({ principal }) => (principal?.kind === PrincipalKind.GROUP ? [principal.id] : []));
      for (const id of inner) if (!above.includes(id) && (await isIn(id, [...above, id]))) return true;
      return false;
    };
    const found = await Promise.all(ids.map(async (id) => ({ id, inside: await isIn(id, [id]) })));
    return found.filter(({ inside }) => inside).map(({ id }) => id);
  }

  /** Asks for the roles, and for groups only where those could add something. */
  async function standingIn(workspaceId: string): Promise<Standing> {
    const list = await roles.list(workspaceId);
    const own = workspaces.value.find(({ id }) => id === workspaceId)?.ownRoleId;
    const allowed = new Set(list.find(({ id }) => id === own)?.permissions);
    if (!allowed.has(Permission.WORKSPACE_MANAGE)) {
      const bindings = await roles.bindings(workspaceId, PrincipalKind.GROUP);
      const more = bindings.filter(({ roleId }) =>
        list.find(({ id }) => id === roleId)?.permissions.some((permission) => !allowed.has(permission)),
      );
      const mine = await ownGroups(workspaceId, [...new Set(more.map(({ principal }) => principal?.id ?? ""))]);
      for (const { principal, roleId } of more)
        if (mine.includes(principal?.id ?? ""))
          for (const permission of list.find(({ id }) => id === roleId)?.permissions ?? []) allowed.add(permission);
    }
    return { workspaceId, roles: list, permissions: [...allowed] };
  }

  return { standingIn };
}

interface Provided {
  readonly standing: Ref<Standing>;
  readonly reload: () => Promise<unknown>;
}
const key: InjectionKey<Provided> = Symbol("standing");

/** Makes a standing known to the pages inside. */
export function provideStanding(standing: Ref<Standing>, reload: () => Promise<unknown>): void {
  provide(key, { standing, reload });
}

/** The standing that the page around has asked for. */
export function useStanding() {
  const provided = inject(key);
  if (provided === undefined) throw new Error("There is no settings page around this.");
  const { standing, reload } = provided;
  const { workspaces } = useSession();
  const has = (permission: Permission) => standing.value.permissions.includes(permission);
  const roles = computed(() => standing.value.roles);
  return {
    workspaceId: standing.value.workspaceId,
    workspace: computed(() => workspaces.value.find(({ id }) => id === standing.value.workspaceId)),
    roles,
    /** May change settings, members, invitations, groups, roles and keys. */
    mayManage: computed(() => has(Permission.WORKSPACE_MANAGE)),
    /** May hand over and delete the workspace. */
    mayOwn: computed(() => has(Permission.WORKSPACE_OWN)),
    has,
    /** Whether one may give or take a role: nobody gives what they lack. */
    mayGive: (roleId: string) => (roles.value.find(({ id }) => id === roleId)?.permissions ?? []).every(has),
    roleName: (roleId: string) => roles.value.find(({ id }) => id === roleId)?.name ?? "",
    /** Asks anew, after something about roles has changed. */
    reload,
  };
}
