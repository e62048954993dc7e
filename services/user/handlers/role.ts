import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import type { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { CreateRoleResponseSchema, RoleService } from "@docket/contracts/gen/docket/user/v1/role_service_pb.ts";
import { subjectOf } from "@docket/runtime/call";
import { openPage } from "@docket/runtime/db/page";
import { idempotent } from "@docket/runtime/db/request_record";
import { AppError, invalidArgument, notFound } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import { type Holder, type HolderKind, holderKinds, type Role, type RoleBinding } from "../domain/model.ts";
import { foldName } from "../domain/names.ts";
import { isAssignable, isBuiltIn, unlistable } from "../domain/roles.ts";
import type { Db } from "../store/database.ts";
import { namesOf } from "../store/name_store.ts";
import {
  countCustomRoles,
  deleteBinding,
  deleteRole,
  findBinding,
  findRole,
  insertRole,
  isRoleInUse,
  listBindings,
  listBuiltInRoles,
  listCustomRoles,
  setBinding,
  updateRole,
} from "../store/role_store.ts";
import { permissionsThrough } from "../store/standing_store.ts";
import type { Deps } from "./deps.ts";
import { holderOf, toPrincipal, toRole } from "./messages.ts";
import { giveMemberRole, memberOf, refuseBeyondOwn, roleOf } from "./workspace_members.ts";
import { afterKeyOf, checkEtag, checkName, cutPage, refuseAtLimit, uniqueName, writeIn, writing } from "./writing.ts";

const kindNames = { 1: "person", 2: "group", 3: "application" } as const satisfies Record<HolderKind, string>;

/** Roles of a workspace, and who holds them. */
export function roleHandlers(deps: Deps): ServiceImpl<typeof RoleService> {
  const { db, clock, rules, events } = deps;

  const changeable = async (tx: Db, workspaceId: string, roleId: string): Promise<Role> => {
    if (isBuiltIn(roleId)) throw new AppError(Reason.ROLE_BUILT_IN, { metadata: { role_id: roleId } });
    return await roleOf(tx, workspaceId, roleId);
  };

  const bindingMessage = async (source: Db, workspaceId: string, bindings: readonly RoleBinding[]) => {
    const names = new Map((await namesOf(source, workspaceId, bindings)).map((named) => [named.id, named.name]));
    return bindings.map((binding) => ({
      principal: toPrincipal(binding),
      principalName: names.get(binding.id) ?? "",
      roleId: binding.roleId,
      createTime: timestampFromDate(binding.createdAt),
    }));
  };

  return {
    async createRole(request, context) {
      const subject = subjectOf(context);
      const { workspaceId } = request;
      checkName("name", request.name);
      const permissions = listable(request.permissions);
      const method = RoleService.method.createRole;
      return await idempotent(db, { subject, method, requestId: request.requestId, request, now: clock }, (tx) =>
        writeIn(deps, tx, async (write) => {
          await write.lock(workspaceId);
          await refuseBeyondOwn(write, subject, workspaceId, permissions);
          refuseAtLimit(await countCustomRoles(tx, workspaceId), rules.limits.rolesPerWorkspace);
          const role: Role = {
            id: newId(),
            workspaceId,
            name: request.name.trim(),
            description: request.description,
            permissions,
            builtIn: 0,
            createdAt: write.now,
            version: 1,
          };
          await refuseBuiltInName(tx, role.name);
          await uniqueName(role.name, () => insertRole(tx, role));
          return create(CreateRoleResponseSchema, { role: toRole(role) });
        }),
      );
    },

    async getRole({ workspaceId, roleId }) {
      return { role: toRole(await roleOf(db.query, workspaceId, roleId)) };
    },

    async listRoles(request) {
      const { workspaceId } = request;
      const page = openPage(request, ["roles", workspaceId]);
      const [after] = afterKeyOf(page, "string") ?? [];
      // The four built-in ones come before all others, on the first page, whatever its size.
      const builtIn = after === undefined ? await listBuiltInRoles(db.query) : [];
      const found = await listCustomRoles(db.query, workspaceId, after, page.size + 1);
      const { rows, nextPageToken } = cutPage(found, page, ({ nameKey }) => [nameKey]);
      return { roles: [...builtIn, ...rows.map(({ role }) => role)].map(toRole), nextPageToken };
    },

    async updateRole({ workspaceId, roleId, name, description, updateMask, etag, ...request }, context) {
      const subject = subjectOf(context);
      const paths = new Set(updateMask?.paths ?? []);
      if (paths.has("name")) checkName("name", name);
      return await writing(deps, async (write) => {
        const { tx } = write;
        await write.lock(workspaceId);
        const role = await changeable(tx, workspaceId, roleId);
        checkEtag(etag, role.version);
        const permissions = paths.has("permissions") ? listable(request.permissions) : undefined;
        await refuseBeyondOwn(write, subject, workspaceId, [...role.permissions, ...(permissions ?? [])]);
        if (paths.has("name")) await refuseBuiltInName(tx, name.trim());
        await uniqueName(name, () =>
          updateRole(tx, workspaceId, roleId, {
            ...(paths.has("name") && { name: name.trim() }),
            ...(paths.has("description") && { description }),
            ...(permissions !== undefined && { permissions }),
          }),
        );
        return { role: toRole(await roleOf(tx, workspaceId, roleId)) };
      });
    },

    async deleteRole({ workspaceId, roleId, etag }) {
      await writing(deps, async (write) => {
        const { tx, now } = write;
        await write.lock(workspaceId);
        checkEtag(etag, (await changeable(tx, workspaceId, roleId)).version);
        if (await isRoleInUse(tx, workspaceId, roleId, now)) {
          throw new AppError(Reason.ROLE_IN_USE, { metadata: { role_id: roleId } });
        }
        await deleteRole(tx, workspaceId, roleId);
      });
      return {};
    },

    async listRoleBindings(request) {
      const { workspaceId, kind } = request;
      const page = openPage(request, ["bindings", workspaceId, kind ?? 0]);
      const after = afterKeyOf(page, "number", "string");
      const filter = kind as number as HolderKind | undefined;
      const found = await listBindings(db.query, workspaceId, filter, after, page.size + 1);
      const { rows, nextPageToken } = cutPage(found, page, (binding) => [binding.kind, binding.id]);
      return { bindings: await bindingMessage(db.query, workspaceId, rows), nextPageToken };
    },

    async setRoleBinding({ workspaceId, roleId, ...request }, context) {
      const subject = subjectOf(context);
      const holder = holderOf(request.principal);
      const bound = await writing(deps, async (write) => {
        const { tx, now } = write;
        await write.lock(workspaceId);
        const role = await roleOf(tx, workspaceId, roleId);
        if (holder.kind === holderKinds.person) {
          await giveMemberRole(write, subject, workspaceId, await memberOf(tx, workspaceId, holder.id), role);
        } else {
          await known(tx, workspaceId, holder);
          if (!isAssignable(roleId, kindNames[holder.kind] ?? "group")) {
            throw new AppError(Reason.ROLE_NOT_ASSIGNABLE, { metadata: { role_id: roleId } });
          }
          await refuseBeyondOwn(write, subject, workspaceId, [
            ...role.permissions,
            ...(await held(tx, workspaceId, holder)),
          ]);
          await setBinding(tx, workspaceId, holder, roleId, now);
        }
        const binding = await findBinding(tx, workspaceId, holder);
        return await bindingMessage(tx, workspaceId, binding ? [binding] : []);
      });
      events.roleGiven(workspaceId, holder.id, roleId, subject.id);
      return { binding: bound[0] };
    },

    async removeRoleBinding({ workspaceId, principal }, context) {
      const subject = subjectOf(context);
      const holder = holderOf(principal);
      if (holder.kind === holderKinds.person) {
        await memberOf(db.query, workspaceId, holder.id);
        throw new AppError(Reason.MEMBER_ROLE_NEEDED, { metadata: { user_id: holder.id } });
      }
      await writing(deps, async (write) => {
        await write.lock(workspaceId);
        await known(write.tx, workspaceId, holder);
        await refuseBeyondOwn(write, subject, workspaceId, await held(write.tx, workspaceId, holder));
        await deleteBinding(write.tx, workspaceId, holder);
      });
      return {};
    },
  };
}

/** What a holder's present role allows. */
async function held(tx: Db, workspaceId: string, holder: Holder): Promise<readonly Permission[]> {
  const binding = await findBinding(tx, workspaceId, holder);
  if (binding === undefined) return [];
  return (await findRole(tx, workspaceId, binding.roleId))?.permissions ?? [];
}

async function known(tx: Db, workspaceId: string, holder: Holder): Promise<void> {
  const [named] = await namesOf(tx, workspaceId, [holder]);
  if (named === undefined) throw notFound(kindNames[holder.kind] ?? "principal", holder.id);
}

function listable(permissions: readonly Permission[]): Permission[] {
  if (unlistable(permissions) === undefined) return [...permissions].sort((a, b) => a - b);
  throw invalidArgument([
    { field: "permissions", rule: "role.permissions", description: "must not hold what no custom role may list" },
  ]);
}

async function refuseBuiltInName(tx: Db, name: string): Promise<void> {
  const taken = (await listBuiltInRoles(tx)).some((role) => foldName(role.name) === foldName(name));
  if (taken) throw new AppError(Reason.NAME_TAKEN, { metadata: { name } });
}

/** Whether one may put somebody into a group: what the group gives must be within what one may do. */
export async function refuseGivingGroup(
  write: Parameters<typeof refuseBeyondOwn>[0],
  subject: Parameters<typeof refuseBeyondOwn>[1],
  workspaceId: string,
  groupId: string,
): Promise<void> {
  const gained = await permissionsThrough(write.tx, workspaceId, { kind: holderKinds.group, id: groupId });
  await refuseBeyondOwn(write, subject, workspaceId, gained);
}
