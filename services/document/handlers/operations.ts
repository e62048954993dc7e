// OperationService.
import { setTimeout as pause } from "node:timers/promises";
import type { ServiceImpl } from "@connectrpc/connect";
import { OperationState, OperationStateSchema } from "@docket/contracts/gen/docket/document/v1/operation_pb.ts";
import type { OperationService } from "@docket/contracts/gen/docket/document/v1/operation_service_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { enumName } from "@docket/contracts/policy";
import { callOf, subjectOf } from "@docket/runtime/call";
import { openPage, selectPage } from "@docket/runtime/db/page";
import { AppError, notFound } from "@docket/runtime/errors";
import { madeOrManages } from "../resource_checks.ts";
import type { Query } from "../store/entities.ts";
import { cancelOperation, type OperationRow, operationsIn, readOperation } from "../store/operations.ts";
import { actorOf, type Deps } from "./deps.ts";
import { operationMessage } from "./messages.ts";

/** How often a watched operation is looked at, and told again although it has not moved, in milliseconds. */
const lookMs = 250;
const repeatMs = 15_000;

export function operationHandlers({ db, membership, clock }: Deps): ServiceImpl<typeof OperationService> {
  return {
    async getOperation(request) {
      return { operation: operationMessage(await operationOf(db.query, request.operationId)) };
    },

    async listOperations(request, context) {
      const { workspaceId } = request;
      const standing = await membership.of(subjectOf(context), workspaceId, callOf(context));
      const maker = madeOrManages(subjectOf(context), standing, "") ? undefined : actorOf(context);
      const page = openPage(request, { workspaceId, maker });
      const { rows, nextPageToken } = await selectPage(
        operationsIn(db.query, workspaceId, maker),
        page,
        ["id"],
        "desc",
      );
      return { operations: rows.map(operationMessage), nextPageToken };
    },

    async *watchOperation(request, context) {
      const { signal } = callOf(context);
      let told: OperationRow | undefined;
      let toldAt = 0;
      while (!signal.aborted) {
        const row = await operationOf(db.query, request.operationId);
        if (told === undefined || moved(told, row) || performance.now() - toldAt >= repeatMs) {
          yield { operation: operationMessage(row) };
          told = row;
          toldAt = performance.now();
        }
        if (hasEnded(row)) return;
        await pause(lookMs, undefined, { signal }).catch(() => undefined);
      }
    },

    async cancelOperation(request) {
      const { workspace_id: lock } = await operationOf(db.query, request.operationId);
      return db.transaction(
        async (tx) => {
          const row = await operationOf(tx, request.operationId);
          if (row.state === OperationState.CANCELLED) return { operation: operationMessage(row) };
          // From its beginning on, part of it is done for good.
          const at = clock().getTime();
          if (row.state !== OperationState.PENDING || !(await cancelOperation(tx, row, at))) {
            const state = enumName(OperationStateSchema, row.state);
            throw new AppError(Reason.OPERATION_NOT_CANCELLABLE, {
              metadata: { state },
              message: "The operation has begun or ended.",
            });
          }
          return { operation: operationMessage(await operationOf(tx, row.id)) };
        },
        { lock },
      );
    },
  };
}

async function operationOf(query: Query, id: string): Promise<OperationRow> {
  const row = await readOperation(query, id);
  if (row === undefined) throw notFound("operation", id);
  return row;
}

function moved(a: OperationRow, b: OperationRow): boolean {
  return a.state !== b.state || a.done_count !== b.done_count || a.total_count !== b.total_count;
}

function hasEnded({ state }: OperationRow): boolean {
  return state !== OperationState.PENDING && state !== OperationState.RUNNING;
}
