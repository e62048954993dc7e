import { fromBinary } from "@bufbuild/protobuf";
import { UserChangeSchema } from "@docket/contracts/gen/docket/user/v1/user_change_pb.ts";
import { startVouching, type VouchingOptions } from "@docket/runtime/redis/vouching";
import { endedBy } from "@docket/runtime/user_changes";
import type { UserDatabase } from "../store/database.ts";
import { changePartition } from "./writing.ts";

/**
 * Keeps the gateways' copies of sessions and keys true: what has ended here is taken out of Redis, whichever replica
 * ended it.
 */
export function vouchForSessions(
  options: Pick<VouchingOptions<never>, "redis" | "logger"> & { readonly db: UserDatabase },
): AsyncDisposable {
  return startVouching({
    ...options,
    partition: changePartition,
    endedBy: ({ payload }) => endedBy(fromBinary(UserChangeSchema, payload)),
  });
}
