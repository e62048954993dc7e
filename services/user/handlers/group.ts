import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { CreateGroupResponseSchema, GroupService } from "@docket/contracts/gen/docket/user/v1/group_service_pb.ts";
import { subjectOf } from "@docket/runtime/call";
import { openPage } from "@docket/runtime/db/page";
import { idempotent } from "@docket/runtime/db/request_record";
import { AppError, notFound } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import { wouldCycle } from "../domain/groups.ts";
import { type Group, type GroupMember, holderKinds } from "../domain/model.ts";
import type { Db } from "../store/database.ts";
import {
  countGroupMembers,
  countGroups,
  deleteGroup,
  deleteGroupMember,
  findGroup,
  findGroupMember,
  groupEdges,
  insertGroup,
  insertGroupMember,
  listGroupMembers,
  listGroups,
  updateGroup,
} from "../store/group_store.ts";
import { namesOf, noteFormer } from "../store/name_store.ts";
import { isMember } from "../store/workspace_store.ts";
import type { Deps } from "./deps.ts";
import { holderOf, toGroup, toPrincipal } from "./messages.ts";
import { refuseGivingGroup } from "./role.ts";
import { afterKeyOf, checkEtag, checkName, cutPage, refuseAtLimit, uniqueName, writeIn, writing } from "./writing.ts";

/** Groups of a workspace. */
export function groupHandlers(deps: Deps): ServiceImpl<typeof GroupService> {
  const { db, clock, rules } = deps;

  const memberMessages = async (source: Db, workspaceId: string, members: readonly GroupMember[]) => {
    const names = new Map((await namesOf(source, workspaceId, members)).map((named) => [named.id, named.name]));
    return members.map((member) => ({
      principal: toPrincipal(member),
      name: names.get(member.id) ?? "",
      addTime: timestampFromDate(member.addedAt),
    }));
  };

  return {
    async createGroup(request, context) {
      const subject = subjectOf(context);
      const { workspaceId } = request;
      checkName("name", request.name);
      const method = GroupService.method.createGroup;
      return await idempotent(db, { subject, method, requestId: request.requestId, request, now: clock }, (tx) =>
        writeIn(deps, tx, async (write) => {
          await write.lock(workspaceId);
          refuseAtLimit(await countGroups(tx, workspaceId), rules.limits.groupsPerWorkspace);
          const group: Group = {
            id: newId(),
            workspaceId,
            name: request.name.trim(),
            description: request.description,
            createdAt: write.now,
            version: 1,
          };
          await uniqueName(group.name, () => insertGroup(tx, group));
          return create(CreateGroupResponseSchema, { group: toGroup(group) });
        }),
      );
    },

    async getGroup({ workspaceId, groupId }) {
      return { group: toGroup(await groupOf(db.query, workspaceId, groupId)) };
    },

    async listGroups(request) {
      const { workspaceId } = request;
      const page = openPage(request, ["groups", workspaceId]);
      const [after] = afterKeyOf(page, "string") ?? [];
      const found = await listGroups(db.query, workspaceId, after, page.size + 1);
      const { rows, nextPageToken } = cutPage(found, page, ({ nameKey }) => [nameKey]);
      return { groups: rows.map(({ group }) => toGroup(group)), nextPageToken };
    },

    async updateGroup({ workspaceId, groupId, name, description, updateMask, etag }) {
      const paths = new Set(updateMask?.paths ?? []);
      if (paths.has("name")) checkName("name", name);
      return await writing(deps, async (write) => {
        const { tx } = write;
        await write.lock(workspaceId);
        checkEtag(etag, (await groupOf(tx, workspaceId, groupId)).version);
        await uniqueName(name, () =>
          updateGroup(tx, workspaceId, groupId, {
            ...(paths.has("name") && { name: name.trim() }),
            ...(paths.has("description") && { description }),
          }),
        );
        return { group: toGroup(await groupOf(tx, workspaceId, groupId)) };
      });
    },

    async deleteGroup({ workspaceId, groupId, etag }, context) {
      await writing(deps, async (write) => {
        const { tx, tell } = write;
        await write.lock(workspaceId);
        checkEtag(etag, (await groupOf(tx, workspaceId, groupId)).version);
        await refuseGivingGroup(write, subjectOf(context), workspaceId, groupId);
        await noteFormer(tx, workspaceId, { kind: holderKinds.group, id: groupId });
        await deleteGroup(tx, workspaceId, groupId);
        tell({ case: "groupDeleted", value: { workspaceId, groupId } });
      });
      return {};
    },

    async addGroupMember({ workspaceId, groupId, principal }, context) {
      const holder = holderOf(principal);
      return await writing(deps, async (write) => {
        const { tx, now } = write;
        await write.lock(workspaceId);
        await groupOf(tx, workspaceId, groupId);
        if (holder.kind === holderKinds.group) {
          await groupOf(tx, workspaceId, holder.id);
          if (wouldCycle(await groupEdges(tx, workspaceId), groupId, holder.id)) {
            throw new AppError(Reason.GROUP_CYCLE, { metadata: { group_id: holder.id } });
          }
        } else if (!(await isMember(tx, workspaceId, holder.id))) {
          throw notFound("user", holder.id);
        }
        await refuseGivingGroup(write, subjectOf(context), workspaceId, groupId);
        if ((await findGroupMember(tx, workspaceId, groupId, holder)) === undefined) {
          refuseAtLimit(await countGroupMembers(tx, workspaceId, groupId), rules.limits.membersPerGroup);
          await insertGroupMember(tx, workspaceId, groupId, holder, now);
        }
        const added = await findGroupMember(tx, workspaceId, groupId, holder);
        const [member] = await memberMessages(tx, workspaceId, added ? [added] : []);
        return { member };
      });
    },

    async removeGroupMember({ workspaceId, groupId, principal }, context) {
      await writing(deps, async (write) => {
        await write.lock(workspaceId);
        await groupOf(write.tx, workspaceId, groupId);
        await refuseGivingGroup(write, subjectOf(context), workspaceId, groupId);
        await deleteGroupMember(write.tx, workspaceId, groupId, holderOf(principal));
      });
      return {};
    },

    async listGroupMembers(request) {
      const { workspaceId, groupId } = request;
      await groupOf(db.query, workspaceId, groupId);
      const page = openPage(request, ["group members", workspaceId, groupId]);
      const after = afterKeyOf(page, "number", "string");
      const found = await listGroupMembers(db.query, workspaceId, groupId, after, page.size + 1);
      const { rows, nextPageToken } = cutPage(found, page, ({ kind, id }) => [kind, id]);
      return { members: await memberMessages(db.query, workspaceId, rows), nextPageToken };
    },
  };
}

async function groupOf(db: Db, workspaceId: string, groupId: string): Promise<Group> {
  const group = await findGroup(db, workspaceId, groupId);
  if (group === undefined) throw notFound("group", groupId);
  return group;
}
