// What the persons, groups and applications of a workspace are called. Asked for in one call per page of ids, remembered
// for as long as the page is open; who left is called what they were called then.

import { PrincipalKind } from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";

/** Somebody who can hold something. A plain object, so that it crosses from the server's page to the browser. */
export interface Principal {
  readonly kind: "person" | "group" | "application";
  readonly id: string;
  readonly name: string;
  /** Whether it is of the workspace no longer. */
  readonly former?: boolean;
}

/** So many names are asked for at once. */
const idsAtOnce = 200;

const kinds: Partial<Record<PrincipalKind, Principal["kind"]>> = {
  [PrincipalKind.PERSON]: "person",
  [PrincipalKind.GROUP]: "group",
  [PrincipalKind.APPLICATION]: "application",
};

/** In words of this page, what a message says of the kind. */
export function principalKind(kind: PrincipalKind): Principal["kind"] {
  return kinds[kind] ?? "person";
}

export function usePeople(workspaceId: MaybeRefOrGetter<string>) {
  const workspaces = useWorkspaces();
  const { user } = useSession();
  const { t } = useI18n();
  /** By workspace and id. Null: it was asked for, and nobody is known by it. */
  const known = useState<Record<string, Principal | null>>("people", () => ({}));
  const keyOf = (id: string) => `${toValue(workspaceId)}/${id}`;

  /** Remembers what was learnt in another way, for example from a list. */
  function learn(principals: readonly Principal[]): void {
    known.value = { ...known.value, ...Object.fromEntries(principals.map((each) => [keyOf(each.id), each])) };
  }

  /** Asks for the names that are not known yet. Nothing fails: what cannot be learnt now is asked for again later. */
  async function know(ids: readonly string[]): Promise<void> {
    const unknown = [...new Set(ids)].filter((id) => id !== "" && known.value[keyOf(id)] === undefined);
    const parts = Array.from({ length: Math.ceil(unknown.length / idsAtOnce) }, (_, at) =>
      unknown.slice(at * idsAtOnce, (at + 1) * idsAtOnce),
    );
    await Promise.all(
      parts.map(async (part) => {
        const names = await workspaces.names(toValue(workspaceId), part).catch(() => undefined);
        if (names === undefined) return;
        const found = names.map(({ principal, name, former }) => ({
          kind: principalKind(principal?.kind ?? PrincipalKind.PERSON),
          id: principal?.id ?? "",
          name,
          former,
        }));
        const absent = Object.fromEntries(part.map((id) => [keyOf(id), null]));
        known.value = { ...absent, ...known.value };
        learn(found);
      }),
    );
  }

  return {
    know,
    learn,
    /** What is known of somebody. */
    principalOf: (id: string): Principal | undefined => known.value[keyOf(id)] ?? undefined,
    /** The name; words where it is not known. */
    nameOf(id: string): string {
      if (id === user.value?.id) return user.value.displayName;
      const found = known.value[keyOf(id)];
      return found?.name || t(found === null ? "people.former" : "people.unknown");
    },
  };
}
