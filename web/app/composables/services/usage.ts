// How much is stored.

import type { GetUsageResponse } from "@docket/contracts/gen/docket/storage/v1/usage_service_pb.ts";
import { UsageService } from "@docket/contracts/gen/docket/storage/v1/usage_service_pb.ts";

export function useUsage() {
  const client = useClient(UsageService);
  return {
    /** How much of a workspace's quota is used. */
    of: async (workspaceId: string): Promise<GetUsageResponse> => await client.getUsage({ workspaceId }),
  };
}
