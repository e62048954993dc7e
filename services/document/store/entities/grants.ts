// Grants, on documents, folders and the root.
import { defineEntity, idColumn, p, timeColumn } from "@docket/runtime/db/schema";

export const GrantEntity = defineEntity({
  name: "AccessGrant",
  tableName: "access_grant",
  properties: {
    workspaceId: idColumn().primary(),
    /** A document's or folder's id; empty: the root. */
    resourceId: idColumn().primary(),
    /** `person:<id>`, `group:<id>`, `application:<id>` or `members`. */
    principal: p.string().length(50).primary(),
    /** `document`, `folder` or `root`. */
    resourceKind: p.string().length(10),
    /** 0 to 4; 0 only for the members' grant on the root after it was revoked. */
    level: p.smallint(),
    createdBy: p.string().length(50),
    updatedAt: timeColumn(),
  },
  indexes: [{ name: "access_grant_principal", properties: ["workspaceId", "principal", "resourceKind", "resourceId"] }],
});
