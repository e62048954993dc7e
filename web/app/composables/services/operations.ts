// Work that outlives the call that began it.

import { type Operation, OperationState } from "@docket/contracts/gen/docket/document/v1/operation_pb.ts";
import { OperationService } from "@docket/contracts/gen/docket/document/v1/operation_service_pb.ts";

export function useOperations() {
  const client = useClient(OperationService);
  return {
    async get(operationId: string): Promise<Operation | undefined> {
      return (await client.getOperation({ operationId })).operation;
    },
    /** Stops it, if it has not begun. */
    async cancel(operationId: string): Promise<void> {
      await client.cancelOperation({ operationId });
    },
    /** Tells of it until its end, and gives it as it ended. */
    async watch(
      operationId: string,
      tell: (now: Operation) => void,
      signal?: AbortSignal,
    ): Promise<Operation | undefined> {
      let last: Operation | undefined;
      for await (const { operation } of client.watchOperation({ operationId }, { signal })) {
        if (operation === undefined) continue;
        last = operation;
        tell(operation);
      }
      return last;
    },
  };
}

/** Whether nothing more will happen to it. */
export function isOver({ state }: Operation): boolean {
  return state !== OperationState.PENDING && state !== OperationState.RUNNING;
}
