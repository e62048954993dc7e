// What happened to a document, from the log of changes. What happens from now on comes through `useLive`.

import type { Change } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { ChangeService } from "@docket/contracts/gen/docket/document/v1/change_service_pb.ts";

/** Some changes, the newest first, and how to go on; an empty token when the log holds nothing older. */
export interface ActivityPage {
  readonly changes: Change[];
  readonly nextPageToken: string;
}

export function useChanges() {
  const client = useClient(ChangeService);
  return {
    async activity(documentId: string, pageToken = "", pageSize = 50): Promise<ActivityPage> {
      const { changes, nextPageToken } = await client.listActivity({ documentId, pageToken, pageSize });
      return { changes, nextPageToken };
    },
  };
}
