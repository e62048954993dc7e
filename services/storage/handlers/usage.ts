// UsageService: what may be stored, and what is.

import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { ChecksumAlgorithm } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import {
  GetLimitsResponseSchema,
  GetUsageResponseSchema,
  type UsageService,
} from "@docket/contracts/gen/docket/storage/v1/usage_service_pb.ts";
import { maxChunkBytes } from "../domain/limits.ts";
import { usageOf } from "../store/usage.ts";
import type { HandlerDeps } from "./deps.ts";
import { workspaceLimits } from "./quota.ts";

export function usageHandlers(deps: HandlerDeps): ServiceImpl<typeof UsageService> {
  const { db, limits } = deps;
  return {
    getLimits() {
      return create(GetLimitsResponseSchema, {
        maxFileBytes: BigInt(limits.maxFileBytes),
        maxChunkBytes,
        maxParts: limits.maxParts,
        expireAfter: durationFromMs(limits.uploadIdleMs),
        checksumAlgorithms: [
          ChecksumAlgorithm.CRC32,
          ChecksumAlgorithm.MD5,
          ChecksumAlgorithm.SHA1,
          ChecksumAlgorithm.SHA256,
        ],
      });
    },

    async getUsage({ workspaceId }, context) {
      const { quotaBytes } = await workspaceLimits(deps, workspaceId, context);
      const { storedBytes, reservedBytes, blobCount } = await usageOf(db, workspaceId);
      return create(GetUsageResponseSchema, {
        storedBytes: BigInt(storedBytes),
        reservedBytes: BigInt(reservedBytes),
        quotaBytes: BigInt(quotaBytes),
        blobCount: BigInt(blobCount),
      });
    },
  };
}
