// The workspace that the page is about; on pages about none or several, the one that was visited last.

export function useWorkspace() {
  const route = useRoute();
  const { workspaces } = useSession();
  const last = useCookie("docket-workspace", { sameSite: "lax", maxAge: 31_536_000 });

  const current = computed(() => {
    const named = "workspace" in route.params ? String(route.params.workspace) : last.value;
    return workspaces.value.find(({ id }) => id === named) ?? workspaces.value[0];
  });

  /** Called by pages that are about a workspace, so that others go on from there. */
  function visit(workspaceId: string): void {
    if (last.value !== workspaceId) last.value = workspaceId;
  }

  return { current, visit };
}
