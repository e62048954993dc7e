import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import {
  CreateWorkspaceResponseSchema,
  WorkspaceService,
} from "@docket/contracts/gen/docket/user/v1/workspace_service_pb.ts";
import { type Subject, subjectOf } from "@docket/runtime/call";
import { openPage } from "@docket/runtime/db/page";
import { idempotent } from "@docket/runtime/db/request_record";
import { notFound } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import { decideWorkspace } from "../domain/access.ts";
import { holderKinds, type Workspace } from "../domain/model.ts";
import { builtInRoleIds } from "../domain/roles.ts";
import { findAccount } from "../store/account_store.ts";
import type { Db } from "../store/database.ts";
import { findBinding, setBinding } from "../store/role_store.ts";
import { standingOf } from "../store/standing_store.ts";
import {
  countMemberships,
  deleteWorkspace,
  findWorkspace,
  insertMember,
  insertWorkspace,
  listWorkspacesOf,
  updateWorkspace,
} from "../store/workspace_store.ts";
import type { Deps } from "./deps.ts";
import { toWorkspace } from "./messages.ts";
import { invitationHandlers } from "./workspace_invitations.ts";
import { memberHandlers } from "./workspace_members.ts";
import {
  afterKeyOf,
  checkEtag,
  checkName,
  checkTimeZone,
  cutPage,
  holderOfSubject,
  refuseAtLimit,
  writeIn,
  writing,
} from "./writing.ts";

/** Workspaces, who is in them, and how one gets in. */
export function workspaceHandlers(deps: Deps): ServiceImpl<typeof WorkspaceService> {
  const { db, clock, rules, events } = deps;

  const seenBy = async (source: Db, workspace: Workspace, subject: Subject) => {
    const binding = await findBinding(source, workspace.id, holderOfSubject(subject));
    return toWorkspace(workspace, binding?.roleId ?? "");
  };

  return {
    ...memberHandlers(deps),
    ...invitationHandlers(deps),

    async createWorkspace(request, context) {
      const subject = subjectOf(context);
      checkName("name", request.name);
      checkTimeZone("time_zone", request.timeZone);
      const method = WorkspaceService.method.createWorkspace;
      return await idempotent(db, { subject, method, requestId: request.requestId, request, now: clock }, (tx) =>
        writeIn(deps, tx, async ({ now, tell }) => {
          const owner = await findAccount(tx, subject.id);
          if (owner === undefined) throw notFound("user", subject.id);
          refuseAtLimit(await countMemberships(tx, subject.id), rules.limits.memberships);
          const workspace: Workspace = {
            id: newId(),
            name: request.name.trim(),
            timeZone: request.timeZone || "UTC",
            quotaBytes: rules.workspaceQuotaBytes,
            maxFileBytes: rules.maxFileBytes,
            createdBy: subject.id,
            createdAt: now,
            deletedAt: undefined,
            epoch: 1,
            version: 1,
          };
          await insertWorkspace(tx, workspace);
          await insertMember(tx, workspace.id, owner, now);
          const holder = { kind: holderKinds.person, id: owner.id };
          await setBinding(tx, workspace.id, holder, builtInRoleIds.owner, now);
          tell({ case: "accessChanged", value: { workspaceId: workspace.id, epoch: "1" } });
          events.workspaceCreated(workspace.id, owner.id);
          return create(CreateWorkspaceResponseSchema, { workspace: toWorkspace(workspace, builtInRoleIds.owner) });
        }),
      );
    },

    async getWorkspace({ workspaceId }, context) {
      const workspace = await findWorkspace(db.query, workspaceId);
      if (workspace === undefined) throw notFound("workspace", workspaceId);
      return { workspace: await seenBy(db.query, workspace, subjectOf(context)) };
    },

    async listWorkspaces(request, context) {
      const subject = subjectOf(context);
      const page = openPage(request, ["workspaces", subject.id]);
      if (subject.kind === "application") {
        // A key works in one workspace.
        const workspace = await findWorkspace(db.query, subject.workspaceId ?? "");
        if (workspace === undefined) return { workspaces: [] };
        // An application without a role has no rights, and so does not see where it is enrolled.
        const standing = await standingOf(db.query, workspace.id, holderOfSubject(subject));
        const seen = decideWorkspace(standing, Permission.WORKSPACE_VIEW) === "allowed";
        return { workspaces: seen ? [await seenBy(db.query, workspace, subject)] : [] };
      }
      const after = afterKeyOf(page, "string", "string");
      const found = await listWorkspacesOf(db.query, subject.id, after, page.size + 1);
      const { rows, nextPageToken } = cutPage(found, page, ({ workspace }) => [workspace.name, workspace.id]);
      return { workspaces: rows.map(({ workspace, roleId }) => toWorkspace(workspace, roleId)), nextPageToken };
    },

    async updateWorkspace({ workspaceId, name, timeZone, updateMask, etag }, context) {
      const paths = new Set(updateMask?.paths ?? []);
      if (paths.has("name")) checkName("name", name);
      if (paths.has("time_zone")) checkTimeZone("time_zone", timeZone);
      return await writing(deps, async (write) => {
        const { tx, tell } = write;
        await write.lock(workspaceId);
        const current = await findWorkspace(tx, workspaceId);
        if (current === undefined) throw notFound("workspace", workspaceId);
        checkEtag(etag, current.version);
        await updateWorkspace(tx, workspaceId, {
          ...(paths.has("name") && { name: name.trim() }),
          ...(paths.has("time_zone") && { timeZone: timeZone || "UTC" }),
        });
        tell({ case: "workspaceUpdated", value: { workspaceId } });
        const updated = await findWorkspace(tx, workspaceId);
        return { workspace: await seenBy(tx, updated ?? current, subjectOf(context)) };
      });
    },

    async deleteWorkspace({ workspaceId, etag }, context) {
      await writing(deps, async (write) => {
        const { tx, now, tell } = write;
        await write.lock(workspaceId);
        checkEtag(etag, (await findWorkspace(tx, workspaceId))?.version ?? 0);
        await deleteWorkspace(tx, workspaceId, now);
        tell({ case: "workspaceDeleted", value: { workspaceId } });
      });
      events.workspaceDeleted(workspaceId, subjectOf(context).id);
      return {};
    },
  };
}
