// Operations: work that outlives the call that began it.
import { bytesColumn, countColumn, defineEntity, idColumn, p, timeColumn } from "@docket/runtime/db/schema";

export const OperationEntity = defineEntity({
  name: "Operation",
  tableName: "operation",
  properties: {
    workspaceId: idColumn().primary(),
    id: idColumn().primary(),
    /** The number of OperationKind. */
    kind: p.smallint(),
    /** The number of OperationState. */
    state: p.smallint(),
    /** `document`, `folder` or empty. */
    targetKind: p.string().length(10),
    targetId: idColumn(),
    doneCount: countColumn(),
    totalCount: countColumn(),
    /** An encoded ErrorInfo, when it failed. */
    error: bytesColumn().nullable(),
    createdBy: p.string().length(50),
    createdAt: timeColumn(),
    updatedAt: timeColumn(),
  },
  uniques: [{ name: "operation_id", properties: ["id"] }],
  indexes: [
    { name: "operation_creator", properties: ["workspaceId", "createdBy", "id"] },
    { name: "operation_target", properties: ["workspaceId", "targetId"] },
    { name: "operation_ended", properties: ["state", "updatedAt"] },
  ],
});
