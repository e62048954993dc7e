// ListDocuments and SearchDocuments: which lists somebody may see, as branches of one query.
import type { HandlerContext } from "@connectrpc/connect";
import {
  DocumentKind,
  DocumentOrder,
  type ListDocumentsRequest,
} from "@docket/contracts/gen/docket/document/v1/document_pb.ts";
import type { SearchDocumentsRequest } from "@docket/contracts/gen/docket/document/v1/document_service_pb.ts";
import type { ListTagsRequest } from "@docket/contracts/gen/docket/document/v1/tag_pb.ts";
import { Permission, ResourceKind } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { callOf, subjectOf } from "@docket/runtime/call";
import { openPage } from "@docket/runtime/db/page";
import { state, stateWithin } from "../domain/state.ts";
import { queryTerms, sortKey } from "../domain/terms.ts";
import { type Branch, keyOf, listDocuments, type Order, searchDocuments } from "../store/document_lists.ts";
import type { DocumentRow } from "../store/documents.ts";
import { foldersVisibleTo } from "../store/places.ts";
import { listTags, listTagsFor, tagList } from "../store/tags.ts";
import { newestVersions } from "../store/versions.ts";
import { type Deps, folderOf } from "./deps.ts";
import { documentMessage } from "./messages.ts";

const byTitle: Order = { by: "title", descending: false };
const orders: Readonly<Partial<Record<DocumentOrder, Order>>> = {
  [DocumentOrder.TITLE_DESCENDING]: { by: "title", descending: true },
  [DocumentOrder.NEWEST]: { by: "time", descending: true },
  [DocumentOrder.OLDEST]: { by: "time", descending: false },
  [DocumentOrder.LARGEST]: { by: "size", descending: true },
  [DocumentOrder.SMALLEST]: { by: "size", descending: false },
};

export async function listDocumentsFor(deps: Deps, request: ListDocumentsRequest, context: HandlerContext) {
  const { parent, anywhere, trashed, tag, kind } = request;
  const order = orders[request.order] ?? byTitle;
  const subject = subjectOf(context);
  const page = openPage(request, { parent, anywhere, trashed, tag, kind, order, subject: subject.id });
  const source = await branchesFor(deps, request, context);
  const rows = await listDocuments(deps.db.query, {
    dialect: deps.db.dialect,
    ...source,
    ...(kind === DocumentKind.UNSPECIFIED ? {} : { kind }),
    order,
    after: page.after && { value: page.after[0] ?? "", id: String(page.after[1]) },
    limit: page.size + 1,
  });
  const documents = rows.slice(0, page.size);
  const last = documents.at(-1);
  const key = rows.length > page.size && last !== undefined ? keyOf(last, order) : undefined;
  return {
    documents: await withVersions(deps, source.workspaceId, documents),
    nextPageToken: key === undefined ? "" : page.tokenAfter([key.value, key.id]),
  };
}

async function branchesFor(
  { db, authorizer }: Deps,
  { parent, anywhere, trashed, tag }: ListDocumentsRequest,
  context: HandlerContext,
): Promise<{ workspaceId: string; branches: Branch[]; state: number; tag?: string }> {
  if (parent.case === "folderId") {
    await authorizer.require(context, ResourceKind.FOLDER, parent.value, Permission.DOCUMENT_VIEW);
    const { id: folderId, workspace_id: workspaceId, state: folderState } = await folderOf(db.query, parent.value);
    return { workspaceId, branches: [{ list: "folder", folderId }], state: stateWithin(folderState) };
  }
  const workspaceId = parent.value ?? "";
  await authorizer.require(context, ResourceKind.WORKSPACE, workspaceId, Permission.WORKSPACE_VIEW);
  const { access, principals } = await authorizer.rootFor(subjectOf(context), workspaceId, callOf(context));
  const wanted = { workspaceId, state: trashed ? state.trashed : state.live };
  const wide = anywhere || trashed || tag !== undefined;
  if (access.level > 0) {
    if (tag !== undefined) return { ...wanted, branches: [{ list: "listing", key: tagList(tag) }] };
    return { ...wanted, branches: [wide ? { list: "everything" } : { list: "folder", folderId: "" }] };
  }
  const own: Branch[] = principals.map((key) => ({ list: "listing", key }));
  if (!wide) return { ...wanted, branches: own };
  const folders = await foldersVisibleTo(db.query, workspaceId, principals);
  const branches = [...own, ...folders.map((folderId): Branch => ({ list: "folder", folderId }))];
  return { ...wanted, branches, ...(tag === undefined ? {} : { tag }) };
}

export async function searchDocumentsFor(deps: Deps, request: SearchDocumentsRequest, context: HandlerContext) {
  const { db, authorizer } = deps;
  const subject = subjectOf(context);
  const { workspaceId, query } = request;
  await authorizer.require(context, ResourceKind.WORKSPACE, workspaceId, Permission.WORKSPACE_VIEW);
  const page = openPage(request, { workspaceId, query, subject: subject.id });
  const terms = queryTerms(query);
  if (terms.length === 0) return { documents: [], nextPageToken: "" };
  const { access, principals } = await authorizer.rootFor(subject, workspaceId, callOf(context));
  const rows = await searchDocuments(db.query, {
    workspaceId,
    terms,
    within: access.level > 0 ? undefined : { principals },
    after: page.after && String(page.after[0]),
    limit: page.size + 1,
  });
  const documents = rows.slice(0, page.size);
  const last = documents.at(-1);
  return {
    documents: await withVersions(deps, workspaceId, documents),
    nextPageToken: rows.length > page.size && last !== undefined ? page.tokenAfter([last.id]) : "",
  };
}

export async function listTagsOf({ db, authorizer }: Deps, request: ListTagsRequest, context: HandlerContext) {
  const subject = subjectOf(context);
  const { workspaceId } = request;
  await authorizer.require(context, ResourceKind.WORKSPACE, workspaceId, Permission.WORKSPACE_VIEW);
  const prefix = sortKey((request.prefix ?? "").trimStart());
  const page = openPage(request, { workspaceId, prefix, subject: subject.id });
  const { access, principals } = await authorizer.rootFor(subject, workspaceId, callOf(context));
  const wanted = { workspaceId, prefix, after: page.after && String(page.after[0]), limit: page.size + 1 };
  const found =
    access.level > 0
      ? await listTags(db.query, wanted)
      : await listTagsFor(db.query, principals, await foldersVisibleTo(db.query, workspaceId, principals), wanted);
  const tags = found.slice(0, page.size);
  const last = tags.at(-1);
  return {
    tags: tags.map(({ name, count }) => ({ name, documentCount: BigInt(count) })),
    nextPageToken: found.length > page.size && last !== undefined ? page.tokenAfter([last.key]) : "",
  };
}

async function withVersions({ db }: Deps, workspaceId: string, rows: readonly DocumentRow[]) {
  const versions = await newestVersions(
    db.query,
    workspaceId,
    rows.map((row) => row.id),
  );
  return rows.map((row) => documentMessage(row, versions.get(row.id)));
}
