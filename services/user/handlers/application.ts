/** Client applications of a workspace. Part of ApiKeyService. */
import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { ApiKeyService } from "@docket/contracts/gen/docket/user/v1/api_key_service_pb.ts";
import { EnrollApplicationResponseSchema } from "@docket/contracts/gen/docket/user/v1/application_pb.ts";
import { subjectOf } from "@docket/runtime/call";
import { openPage } from "@docket/runtime/db/page";
import { idempotent } from "@docket/runtime/db/request_record";
import { invalidArgument, notFound } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import { type Application, holderKinds } from "../domain/model.ts";
import { liveApiKeyIds } from "../store/api_key_store.ts";
import {
  countApplications,
  deleteApplication,
  findApplication,
  insertApplication,
  listApplications,
  updateApplication,
} from "../store/application_store.ts";
import type { Db } from "../store/database.ts";
import { namesOf, noteFormer } from "../store/name_store.ts";
import { permissionsThrough } from "../store/standing_store.ts";
import type { Deps } from "./deps.ts";
import { toApplication } from "./messages.ts";
import { refuseBeyondOwn } from "./workspace_members.ts";
import { afterKeyOf, checkEtag, checkName, cutPage, refuseAtLimit, uniqueName, writeIn, writing } from "./writing.ts";

type ApplicationRpcs =
  | "enrollApplication"
  | "getApplication"
  | "listApplications"
  | "updateApplication"
  | "removeApplication";

export async function applicationOf(db: Db, workspaceId: string, id: string): Promise<Application> {
  const application = await findApplication(db, workspaceId, id);
  if (application === undefined) throw notFound("application", id);
  return application;
}

export function applicationHandlers(deps: Deps): Pick<ServiceImpl<typeof ApiKeyService>, ApplicationRpcs> {
  const { db, clock, rules } = deps;
  return {
    async enrollApplication(request, context) {
      const subject = subjectOf(context);
      const { workspaceId } = request;
      checkName("name", request.name);
      const method = ApiKeyService.method.enrollApplication;
      return await idempotent(db, { subject, method, requestId: request.requestId, request, now: clock }, (tx) =>
        writeIn(deps, tx, async (write) => {
          await write.lock(workspaceId);
          refuseAtLimit(await countApplications(tx, workspaceId), rules.limits.applicationsPerWorkspace);
          const application: Application = {
            id: newId(),
            workspaceId,
            name: request.name.trim(),
            description: request.description,
            createdBy: subject.id,
            ownerId: subject.id,
            createdAt: write.now,
            version: 1,
          };
          await uniqueName(application.name, () => insertApplication(tx, application));
          return create(EnrollApplicationResponseSchema, { application: toApplication(application) });
        }),
      );
    },

    async getApplication({ workspaceId, applicationId }) {
      return { application: toApplication(await applicationOf(db.query, workspaceId, applicationId)) };
    },

    async listApplications(request) {
      const { workspaceId } = request;
      const page = openPage(request, ["applications", workspaceId]);
      const [after] = afterKeyOf(page, "string") ?? [];
      const found = await listApplications(db.query, workspaceId, after, page.size + 1);
      const { rows, nextPageToken } = cutPage(found, page, ({ nameKey }) => [nameKey]);
      return { applications: rows.map(({ application }) => toApplication(application)), nextPageToken };
    },

    async updateApplication({ workspaceId, applicationId, name, description, ownerId, updateMask, etag }) {
      const paths = new Set(updateMask?.paths ?? []);
      if (paths.has("name")) checkName("name", name);
      if (paths.has("owner_id") && ownerId === undefined) {
        throw invalidArgument([{ field: "owner_id", rule: "required", description: "must name the new owner" }]);
      }
      return await writing(deps, async (write) => {
        const { tx } = write;
        await write.lock(workspaceId);
        checkEtag(etag, (await applicationOf(tx, workspaceId, applicationId)).version);
        if (paths.has("owner_id") && ownerId !== undefined) {
          const [owner] = await namesOf(tx, workspaceId, [{ kind: holderKinds.person, id: ownerId }]);
          // Not a member, or one who cannot answer for anything.
          if (owner?.active !== true) throw notFound("user", ownerId);
        }
        await uniqueName(name, () =>
          updateApplication(tx, workspaceId, applicationId, {
            ...(paths.has("name") && { name: name.trim() }),
            ...(paths.has("description") && { description }),
            ...(paths.has("owner_id") && ownerId !== undefined && { ownerId }),
          }),
        );
        return { application: toApplication(await applicationOf(tx, workspaceId, applicationId)) };
      });
    },

    async removeApplication({ workspaceId, applicationId, etag }, context) {
      await writing(deps, async (write) => {
        const { tx, tell } = write;
        await write.lock(workspaceId);
        checkEtag(etag, (await applicationOf(tx, workspaceId, applicationId)).version);
        const holder = { kind: holderKinds.application, id: applicationId };
        const held = await permissionsThrough(tx, workspaceId, holder);
        await refuseBeyondOwn(write, subjectOf(context), workspaceId, held);
        for (const keyId of await liveApiKeyIds(tx, workspaceId, applicationId)) {
          tell({ case: "keyRevoked", value: { keyId, applicationId, workspaceId } });
        }
        await noteFormer(tx, workspaceId, holder);
        await deleteApplication(tx, workspaceId, applicationId);
        tell({ case: "applicationRemoved", value: { applicationId, workspaceId } });
      });
      return {};
    },
  };
}
