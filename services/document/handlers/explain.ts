// ExplainAccess: every layer of a decision, from the very function that decides and from the contract's own registry.
import { create, type DescMethod } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { CommentService } from "@docket/contracts/gen/docket/document/v1/comment_service_pb.ts";
import { DocumentService } from "@docket/contracts/gen/docket/document/v1/document_service_pb.ts";
import { FolderService } from "@docket/contracts/gen/docket/document/v1/folder_service_pb.ts";
import {
  type AccessLayer,
  AccessLayerKind,
  AccessLayerSchema,
  type GrantLevel,
} from "@docket/contracts/gen/docket/document/v1/grant_pb.ts";
import { type ExplainAccessRequest, GrantService } from "@docket/contracts/gen/docket/document/v1/grant_service_pb.ts";
import {
  Permission,
  PermissionSchema,
  ResourceKind,
  WorkloadSchema,
} from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { callersOf, enumName, rpcNameOf } from "@docket/contracts/policy";
import { type Call, callOf, type Subject, subjectOf } from "@docket/runtime/call";
import { notFound } from "@docket/runtime/errors";
import { decisionOf, type Standpoint } from "../authorizer.ts";
import { type Ground, levelOfRole } from "../domain/access.ts";
import type { Deps } from "./deps.ts";
import { grantMessage } from "./messages.ts";

/** An RPC that needs each permission, as the example of who may call. */
const examples = new Map<Permission, DescMethod>([
  [Permission.DOCUMENT_VIEW, DocumentService.method.getDocument],
  [Permission.DOCUMENT_COMMENT, CommentService.method.createComment],
  [Permission.DOCUMENT_EDIT, DocumentService.method.updateDocument],
  [Permission.DOCUMENT_OWN, GrantService.method.setGrant],
]);

/** The same for folders, where they have RPCs of their own. */
const folderExamples = new Map<Permission, DescMethod>([
  [Permission.DOCUMENT_VIEW, FolderService.method.getFolder],
  [Permission.DOCUMENT_EDIT, FolderService.method.updateFolder],
]);

export async function explainAccess(deps: Deps, request: ExplainAccessRequest, context: HandlerContext) {
  const subject = subjectOf(context);
  const call = callOf(context);
  const { resource, personId } = request;
  const permission = request.permission === Permission.UNSPECIFIED ? Permission.DOCUMENT_VIEW : request.permission;
  const about =
    personId === undefined || personId === subject.id ? subject : await other(deps, request, personId, context);
  const standpoint = await standpointOf(deps, about, resource, call);
  const layers = [
    meshLayer(permission, resource.case),
    sessionLayer(about, subject, permission),
    roleLayer(standpoint),
  ];
  const grants = standpoint.access.grounds.filter((ground) => ground.layer === "grant");
  layers.push(...grants.map((ground) => grantLayer(standpoint, ground)));
  if (grants.length === 0) {
    layers.push(layer(AccessLayerKind.GRANT, false, "No grant on it, or on a folder above it, reaches this person."));
  }
  const sessionPasses = layers[1]?.passes ?? false;
  return {
    allowed: sessionPasses && decisionOf(standpoint, permission).allowed,
    level: standpoint.access.level as GrantLevel,
    layers,
  };
}

/** Only owners ask about others; of those only the id is known. */
async function other(
  { authorizer }: Deps,
  { resource }: ExplainAccessRequest,
  personId: string,
  context: HandlerContext,
): Promise<Pick<Subject, "kind" | "id">> {
  const kind =
    resource.case === "documentId"
      ? ResourceKind.DOCUMENT
      : resource.case === "folderId"
        ? ResourceKind.FOLDER
        : ResourceKind.WORKSPACE;
  await authorizer.require(context, kind, resource.value ?? "", Permission.DOCUMENT_OWN);
  return { kind: "person", id: personId };
}

async function standpointOf(
  { authorizer }: Deps,
  about: Pick<Subject, "kind" | "id">,
  resource: ExplainAccessRequest["resource"],
  call: Call,
): Promise<Standpoint> {
  if (resource.case === "documentId") {
    const found = await authorizer.documentFor(about, resource.value, call);
    if (found !== undefined) return found;
    throw notFound("document", resource.value);
  }
  if (resource.case === "folderId") {
    const found = await authorizer.folderFor(about, resource.value, call);
    if (found !== undefined) return found;
    throw notFound("folder", resource.value);
  }
  return authorizer.rootFor(about, resource.value ?? "", call);
}

function meshLayer(permission: Permission, kind: ExplainAccessRequest["resource"]["case"]): AccessLayer {
  const ofDocuments = examples.get(permission) ?? DocumentService.method.getDocument;
  const ofFolders = kind === "documentId" ? undefined : folderExamples.get(permission);
  const example = ofFolders ?? ofDocuments;
  const callers = callersOf(example).map((caller) => enumName(WorkloadSchema, caller).toLowerCase());
  return layer(AccessLayerKind.MESH, true, `${rpcNameOf(example)} may be called by ${callers.join(", ")}.`);
}

function sessionLayer(about: Pick<Subject, "kind" | "id">, asker: Subject, permission: Permission): AccessLayer {
  if (about !== asker)
    return layer(AccessLayerKind.SESSION, true, "Any session of this person; keys are judged by their scopes.");
  const name = enumName(PermissionSchema, permission);
  if (asker.kind === "person")
    return layer(AccessLayerKind.SESSION, true, "A person's session carries no limits of its own.");
  const has = asker.scopes?.includes(permission) ?? false;
  return layer(AccessLayerKind.SESSION, has, `The key ${has ? "has" : "lacks"} the scope ${name}.`);
}

function roleLayer({ standing, access }: Standpoint): AccessLayer {
  if (!standing.member) return layer(AccessLayerKind.ROLE, false, "Not a member of the workspace.");
  const level = levelOfRole(standing);
  if (access.grounds.some((ground) => ground.layer === "role")) {
    return layer(AccessLayerKind.ROLE, true, "The role owns everything in the workspace.", level);
  }
  const rule =
    level === 0
      ? "The role gives nothing on documents: only what is granted counts."
      : "The role gives what is granted to all members, and no more than its own permissions.";
  return layer(AccessLayerKind.ROLE, false, rule);
}

function grantLayer({ workspaceId, place }: Standpoint, ground: Ground & { layer: "grant" }): AccessLayer {
  const { grant, groupId, folderIds, implicit } = ground;
  const kind = grant.resourceId === "" ? "root" : grant.resourceId === place.documentId ? "document" : "folder";
  const whom =
    groupId !== undefined ? "to a group" : grant.principal === "members" ? "to all members" : "to the person";
  const where = kind === "root" ? "on the root of the workspace" : folderIds.length > 0 ? "on a folder above" : "on it";
  const made = layer(
    AccessLayerKind.GRANT,
    true,
    `Granted ${whom} ${where}${implicit ? ", as every workspace begins" : ""}.`,
    ground.level,
  );
  made.grant = grantMessage({
    workspace_id: workspaceId,
    resource_id: grant.resourceId,
    resource_kind: kind,
    principal: grant.principal,
    level: grant.level,
  });
  made.path = {
    $typeName: "docket.document.v1.GrantPath",
    folderIds: [...folderIds],
    ...(groupId === undefined ? {} : { groupId }),
  };
  return made;
}

function layer(kind: AccessLayerKind, passes: boolean, rule: string, level = 0): AccessLayer {
  return create(AccessLayerSchema, { kind, passes, rule, level: level as GrantLevel });
}
