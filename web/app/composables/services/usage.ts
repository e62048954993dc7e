// How much is stored.

import type { CallOptions } from "@connectrpc/connect";
import type { GetLimitsResponse, GetUsageResponse } from "@docket/contracts/gen/docket/storage/v1/usage_service_pb.ts";
import { UsageService } from "@docket/contracts/gen/docket/storage/v1/usage_service_pb.ts";

export function useUsage() {
  const client = useClient(UsageService);
  return {
    /** How much of a workspace's quota is used. */
    of: async (workspaceId: string, options?: CallOptions): Promise<GetUsageResponse> =>
      await client.getUsage({ workspaceId }, options),
    /** What one file may be at most, for everybody. */
    limits: async (options?: CallOptions): Promise<GetLimitsResponse> => await client.getLimits({}, options),
  };
}
