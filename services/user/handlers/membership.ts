import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { MembershipService } from "@docket/contracts/gen/docket/user/v1/membership_service_pb.ts";
import { notFound } from "@docket/runtime/errors";
import { wayUp } from "../domain/groups.ts";
import { type Holder, holderKinds } from "../domain/model.ts";
import { findAccount } from "../store/account_store.ts";
import { directGroups, findGroups, groupEdges } from "../store/group_store.ts";
import { namesOf } from "../store/name_store.ts";
import { type Standing, standingOf } from "../store/standing_store.ts";
import { findWorkspace } from "../store/workspace_store.ts";
import type { Deps } from "./deps.ts";
import { holderOf, toPrincipal } from "./messages.ts";

/** What other services ask about workspaces and who is in them. */
export function membershipHandlers({ db }: Deps): ServiceImpl<typeof MembershipService> {
  /** The groups through which somebody holds each of its roles. */
  const waysOf = async (workspaceId: string, subject: Holder, { roles }: Standing): Promise<string[][]> => {
    const edges = await groupEdges(db.query, workspaceId);
    const direct = await directGroups(db.query, workspaceId, subject);
    return roles.map(({ holder }) =>
      holder.kind === holderKinds.group ? (wayUp(edges, direct, holder.id) ?? []) : [],
    );
  };

  return {
    async getMembership({ subject, workspaceId }) {
      const holder = holderOf(subject);
      const { member, permissions, groupIds, epoch, roles } = await standingOf(db.query, workspaceId, holder);
      const direct = roles.find((held) => held.holder.kind === holder.kind && held.holder.id === holder.id);
      return {
        member,
        permissions: [...permissions].sort((a, b) => a - b),
        groupIds: [...groupIds],
        epoch,
        roleId: direct?.role.id ?? "",
      };
    },

    async explainMembership({ subject, workspaceId }) {
      const holder = holderOf(subject);
      const standing = await standingOf(db.query, workspaceId, holder);
      const ways = standing.member ? await waysOf(workspaceId, holder, standing) : [];
      const names = new Map((await findGroups(db.query, workspaceId, ways.flat())).map(({ id, name }) => [id, name]));
      const roles = standing.roles.map(({ role }, index) => ({
        roleId: role.id,
        roleName: role.name,
        permissions: [...role.permissions],
        via: (ways[index] ?? []).map((groupId) => ({ groupId, name: names.get(groupId) ?? "" })),
      }));
      const account = holder.kind === holderKinds.person ? await findAccount(db.query, holder.id) : undefined;
      return {
        member: standing.member,
        roles: roles.sort((a, b) => a.via.length - b.via.length),
        epoch: standing.epoch,
        disabled: account?.disabledAt !== undefined,
      };
    },

    async resolvePrincipals({ workspaceId, principals }) {
      const named = await namesOf(db.query, workspaceId, principals.map(holderOf));
      return { principals: named.map((one) => ({ principal: toPrincipal(one), name: one.name, active: one.active })) };
    },

    async getWorkspaceFacts({ workspaceId }) {
      const workspace = await findWorkspace(db.query, workspaceId);
      if (workspace === undefined) throw notFound("workspace", workspaceId);
      return {
        name: workspace.name,
        timeZone: workspace.timeZone,
        quotaBytes: BigInt(workspace.quotaBytes),
        maxFileBytes: BigInt(workspace.maxFileBytes),
        epoch: String(workspace.epoch),
        ...(workspace.deletedAt !== undefined && { deleteTime: timestampFromDate(workspace.deletedAt) }),
      };
    },
  };
}
