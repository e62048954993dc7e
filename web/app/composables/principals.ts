// Everybody of a workspace whom one can choose: its members and its groups. Listed once for as long as the page is open.

import { PrincipalKind } from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";

/** Somebody who can hold something. A plain object, so that it crosses from the server's page to the browser. */
export interface Principal {
  readonly kind: "person" | "group" | "application";
  readonly id: string;
  readonly name: string;
}

const kinds: Partial<Record<PrincipalKind, Principal["kind"]>> = {
  [PrincipalKind.PERSON]: "person",
  [PrincipalKind.GROUP]: "group",
  [PrincipalKind.APPLICATION]: "application",
};

/** In words of this page, what a message says of the kind. */
export function principalKind(kind: PrincipalKind): Principal["kind"] {
  return kinds[kind] ?? "person";
}

/** What is known of a workspace's people; kept by workspace. */
interface Listed {
  readonly persons: readonly Principal[];
  readonly groups: readonly Principal[];
}

export function usePrincipals(workspaceId: MaybeRefOrGetter<string>) {
  const workspaces = useWorkspaces();
  const groups = useGroups();
  const { learn } = useNames();
  const { faultOf } = useFaults();
  const listed = useState<Record<string, Listed>>("principals", () => ({}));
  const busy = ref(false);
  const fault = ref<Fault>();
  const here = computed(() => listed.value[toValue(workspaceId)]);

  /** Lists anew; what is shown stays until then. */
  async function reload(): Promise<void> {
    const id = toValue(workspaceId);
    busy.value = true;
    fault.value = undefined;
    try {
      const [members, found] = await Promise.all([workspaces.members(id), groups.list(id)]);
      const persons = members.flatMap(({ user }) =>
        user === undefined ? [] : [{ kind: "person" as const, id: user.id, name: user.displayName }],
      );
      const named = found.map((group) => ({ kind: "group" as const, id: group.id, name: group.name }));
      listed.value = { ...listed.value, [id]: { persons, groups: named } };
      learn([...persons, ...named]);
    } catch (error) {
      fault.value = faultOf(error);
    } finally {
      busy.value = false;
    }
  }

  return {
    persons: computed(() => here.value?.persons ?? []),
    groups: computed(() => here.value?.groups ?? []),
    busy,
    fault,
    reload,
    /** Lists what was not listed yet. */
    async load(): Promise<void> {
      if (here.value === undefined) await reload();
    },
    /** What is kept may be wrong now: the next who asks lists anew. */
    forget(): void {
      const { [toValue(workspaceId)]: _, ...others } = listed.value;
      listed.value = others;
    },
  };
}
