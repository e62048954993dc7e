// Whether the visitor may put things into the root of a workspace. Asked once for each, and anew where it may have changed;
// of folders their trails say it.

import { GrantLevel } from "@docket/contracts/gen/docket/document/v1/grant_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";

export function useRootAccess() {
  const grants = useGrants();
  /** By workspace. */
  const editable = useState<Record<string, boolean>>("root access", () => ({}));

  /** Asks anew. Nothing fails: whoever tries what they may not is told then. */
  async function learn(workspaceId: string): Promise<void> {
    try {
      const { level } = await grants.explain({ workspaceId });
      editable.value = { ...editable.value, [workspaceId]: level >= GrantLevel.EDITOR };
    } catch (error) {
      // Who sees nothing there, such as a guest, is not told why.
      const reason = reasonOf(error);
      if (reason === Reason.PERMISSION_DENIED || reason === Reason.NOT_FOUND)
        editable.value = { ...editable.value, [workspaceId]: false };
    }
  }

  return {
    learn,
    /** Undefined: not known yet. */
    editableIn: (workspaceId: string): boolean | undefined => editable.value[workspaceId],
  };
}
