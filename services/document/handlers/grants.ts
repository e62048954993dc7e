// GrantService.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import type { Grant, GrantPrincipal } from "@docket/contracts/gen/docket/document/v1/grant_pb.ts";
import type { GrantService } from "@docket/contracts/gen/docket/document/v1/grant_service_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { PrincipalKind, PrincipalRefSchema } from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";
import { forward } from "@docket/runtime/call";
import { afterCommit } from "@docket/runtime/db/database";
import { openPage } from "@docket/runtime/db/page";
import { AppError, invalidArgument } from "@docket/runtime/errors";
import { defaultMembersLevel, type Level, members, root } from "../domain/access.ts";
import { recordChanges } from "../store/changes.ts";
import { listFor, unlistFor } from "../store/documents.ts";
import type { Query, Tx } from "../store/entities.ts";
import { countGrants, type GrantRow, listGrants, putGrant, readGrant, removeGrant } from "../store/grants.ts";
import { actorOf, type Deps, documentOf, folderOf, liveDocument, liveFolder } from "./deps.ts";
import { explainAccess } from "./explain.ts";
import { grantMessage, principalKey } from "./messages.ts";

/** The most grants on one resource. */
const mostGrants = 500;

/** What a grant is on, as requests name it. */
type Resource =
  | { readonly case: "workspaceId" | "folderId" | "documentId"; readonly value: string }
  | { readonly case: undefined; readonly value?: undefined };

/** What a grant is on, as rows name it. */
type Target = Pick<GrantRow, "workspace_id" | "resource_id" | "resource_kind">;

export function grantHandlers(deps: Deps): ServiceImpl<typeof GrantService> {
  const { db, clock, events } = deps;

  return {
    async listGrants(request) {
      const target = await targetOf(db.query, request.resource);
      const page = openPage(request, { resource: request.resource });
      const after = page.after && String(page.after[0]);
      const rows = await listGrants(db.query, target.workspace_id, target.resource_id, after, page.size + 1);
      const shown = rows.slice(0, page.size);
      const last = shown.at(-1);
      const grants = shown.map(grantMessage);
      if (target.resource_id === root && after === undefined) {
        const row = await readGrant(db.query, target.workspace_id, root, members);
        if (row === undefined) grants.unshift(impliedGrant(target));
      }
      return {
        grants,
        nextPageToken: rows.length > page.size && last !== undefined ? page.tokenAfter([last.principal]) : "",
      };
    },

    async setGrant(request, context) {
      const actor = actorOf(context);
      const { workspace_id } = await targetOf(db.query, request.resource);
      const principal = await refuseUnknown(deps, workspace_id, request.principal, context);
      const lock = workspace_id;
      return db.transaction(
        async (tx) => {
          const target = await liveTargetOf(tx, request.resource);
          const at = clock().getTime();
          const row: GrantRow = { ...target, principal, level: request.level, created_by: actor, updated_at: at };
          const before = await readGrant(tx, target.workspace_id, target.resource_id, principal);
          if (before?.level === row.level) return { grant: grantMessage(before) };
          if (before === undefined && (await countGrants(tx, target.workspace_id, target.resource_id)) >= mostGrants) {
            throw new AppError(Reason.LIMIT_REACHED, { metadata: { limit: String(mostGrants) } });
          }
          await putGrant(tx, row);
          if (target.resource_kind === "document")
            await listFor(tx, await documentOf(tx, target.resource_id), principal);
          const raised = row.level > levelBefore(before, target, principal);
          await record(tx, row, actor, at, ChangeKind.GRANT_SET, raised ? ChangeKind.ACCESS_GAINED : undefined);
          afterCommit(tx, () => events.grantSet(target.resource_id, principal, row.level));
          return { grant: grantMessage(row) };
        },
        { lock },
      );
    },

    async revokeGrant(request, context) {
      const actor = actorOf(context);
      const principal = keyOf(request.principal);
      const { workspace_id: lock } = await targetOf(db.query, request.resource);
      return db.transaction(
        async (tx) => {
          const target = await liveTargetOf(tx, request.resource);
          const before = await readGrant(tx, target.workspace_id, target.resource_id, principal);
          const level = levelBefore(before, target, principal);
          if (level === 0) return {};
          const at = clock().getTime();
          const row: GrantRow = { ...target, principal, level: 0, created_by: actor, updated_at: at };
          // Without a row the root would be the members' again, as every workspace begins.
          if (target.resource_id === root && principal === members) await putGrant(tx, row);
          else await removeGrant(tx, target.workspace_id, target.resource_id, principal);
          if (target.resource_kind === "document")
            await unlistFor(tx, target.workspace_id, target.resource_id, principal);
          await record(tx, { ...row, level }, actor, at, ChangeKind.GRANT_REVOKED, ChangeKind.ACCESS_LOST);
          afterCommit(tx, () => events.grantRevoked(target.resource_id, principal));
          return {};
        },
        { lock },
      );
    },

    explainAccess: (request, context) => explainAccess(deps, request, context),
  };
}

/** What a grant gave before, the members' on the root included. */
function levelBefore(before: GrantRow | undefined, target: Target, principal: string): Level {
  if (before !== undefined) return before.level as Level;
  return target.resource_id === root && principal === members ? defaultMembersLevel : 0;
}

function impliedGrant(target: Target): Grant {
  return grantMessage({ ...target, principal: members, level: defaultMembersLevel });
}

/** Tells those who may see grants, and the principal itself. */
function record(
  tx: Tx,
  row: GrantRow,
  actor: string,
  at: number,
  kind: ChangeKind,
  toPrincipal: ChangeKind | undefined,
): Promise<void> {
  const where = {
    ...(row.resource_kind === "document" ? { documentId: row.resource_id } : {}),
    ...(row.resource_kind === "folder" ? { folderId: row.resource_id } : {}),
    grant: grantMessage(row),
  };
  return recordChanges(tx, row.workspace_id, at, actor, [
    { ...where, kind },
    ...(toPrincipal === undefined ? [] : [{ ...where, kind: toPrincipal }]),
  ]);
}

async function targetOf(query: Query, resource: Resource): Promise<Target> {
  switch (resource.case) {
    case "documentId": {
      const { workspace_id } = await documentOf(query, resource.value);
      return { workspace_id, resource_id: resource.value, resource_kind: "document" };
    }
    case "folderId": {
      const { workspace_id } = await folderOf(query, resource.value);
      return { workspace_id, resource_id: resource.value, resource_kind: "folder" };
    }
    default:
      return { workspace_id: resource.value ?? "", resource_id: root, resource_kind: "root" };
  }
}

async function liveTargetOf(query: Query, resource: Resource): Promise<Target> {
  if (resource.case === "documentId") await liveDocument(query, resource.value);
  if (resource.case === "folderId") await liveFolder(query, resource.value);
  return targetOf(query, resource);
}

function keyOf(principal: GrantPrincipal | undefined): string {
  if (principal !== undefined) return principalKey(principal);
  throw invalidArgument([{ field: "principal", rule: "required", description: "is needed" }]);
}

/** Asks the user service whether the principal is of the workspace. Throws PRINCIPAL_UNKNOWN. */
async function refuseUnknown(
  { clients }: Deps,
  workspaceId: string,
  principal: GrantPrincipal | undefined,
  context: HandlerContext,
): Promise<string> {
  const key = keyOf(principal);
  if (key === members) return key;
  const [kind = "", id = ""] = key.split(":");
  const wanted: MessageInitShape<typeof PrincipalRefSchema> = {
    kind: principalKinds[kind] ?? PrincipalKind.PERSON,
    id,
  };
  const asked = { workspaceId, principals: [create(PrincipalRefSchema, wanted)] };
  const { principals } = await clients.memberships.resolvePrincipals(asked, forward(context));
  if (principals.some((found) => found.active)) return key;
  throw new AppError(Reason.PRINCIPAL_UNKNOWN, {
    metadata: { kind, id },
    message: `There is no such ${kind} in this workspace.`,
  });
}

const principalKinds: Readonly<Record<string, PrincipalKind>> = {
  person: PrincipalKind.PERSON,
  group: PrincipalKind.GROUP,
  application: PrincipalKind.APPLICATION,
};
