// The tags of a workspace, for choosing among them; asked for when somebody reaches for them.

import type { Tag } from "@docket/contracts/gen/docket/document/v1/tag_pb.ts";

export function useListingTags(workspaceId: () => string) {
  const documents = useDocuments();
  const tags = shallowRef<readonly Tag[]>([]);
  let asked = 0;

  /** Asks, if it is some seconds since. A failure leaves what is known. */
  async function loadTags(): Promise<void> {
    if (Date.now() - asked < 5000) return;
    asked = Date.now();
    tags.value = await documents.tags(workspaceId()).catch(() => tags.value);
  }

  return { tags, loadTags };
}
