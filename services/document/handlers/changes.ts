// ChangeService.
import { fromBinary } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  type ChangeFilter,
  ChangeFilterSchema,
  type Shard,
} from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import type {
  ChangeService,
  ListChangesRequest,
  WatchChangesRequest,
} from "@docket/contracts/gen/docket/document/v1/change_service_pb.ts";
import { Permission, ResourceKind } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { callOf, subjectOf } from "@docket/runtime/call";
import { decodeCursor, encodeCursor } from "@docket/runtime/changelog/cursor";
import { readChangesBack } from "@docket/runtime/changelog/read";
import { openPage } from "@docket/runtime/db/page";
import type { Wanted } from "../domain/change_filter.ts";
import { shardsOf } from "../store/subscriptions.ts";
import { tellActivity } from "../watching/activity.ts";
import { beginningOf } from "../watching/places.ts";
import type { Viewers } from "../watching/viewers.ts";
import { type Ask, limitReached, type Watching } from "../watching/watching.ts";
import { workspacesOf } from "../workspaces.ts";
import { type Deps, documentOf } from "./deps.ts";
import { shardInvalid, subscriptionHandlers, subscriptionOf } from "./subscriptions.ts";

/** The most workspaces that are watched without being named: a cursor has a place for each. */
const mostWorkspaces = 250;
const defaultPageSize = 100;
/** How many pages of a document's activity one call reads at most. */
const mostPagesPassed = 4;

export function changeHandlers(deps: Deps, watching: Watching, viewers: Viewers): ServiceImpl<typeof ChangeService> {
  return {
    ...subscriptionHandlers(deps, watching),

    async *watchChanges(request, context) {
      yield* watching.watch(await askOf(deps, request, context));
    },

    async listChanges(request, context) {
      return watching.list(await askOf(deps, request, context), request.pageSize || defaultPageSize);
    },

    async listActivity(request, context) {
      const document = await documentOf(deps.db.query, request.documentId);
      const { id, workspace_id: workspaceId } = document;
      const subject = subjectOf(context);
      const page = openPage(request, { documentId: id, subject: subject.id });
      let before = page.after && Number(page.after[0]);
      for (let read = 1; ; read++) {
        const rows = await readChangesBack(deps.db, workspaceId, id, before, page.size + 1);
        const shown = rows.slice(0, page.size);
        const changes = await tellActivity(shown, viewers, { subject, workspaceId, call: callOf(context) });
        before = shown.at(-1)?.sequence;
        const more = rows.length > page.size && before !== undefined;
        // Some pages hold nothing for the asker; a few of them are passed over, so that most answers show something.
        if (more && changes.length === 0 && read < mostPagesPassed) continue;
        return { changes, nextPageToken: more && before !== undefined ? page.tokenAfter([before]) : "" };
      }
    },
  };
}

async function askOf(
  deps: Deps,
  request: WatchChangesRequest | ListChangesRequest,
  context: HandlerContext,
): Promise<Ask> {
  if (request.subscriptionId !== undefined)
    return askOfSubscription(deps, request.subscriptionId, request.shard, context);
  const { db } = deps;
  const { cursor, start, filter } = request;
  const basis = { subject: subjectOf(context), call: callOf(context), wanted: wantedOf(filter, request.shard) };
  if (filter !== undefined && filter.workspaceIds.length > 0) {
    const { watched, left } = await named(deps, context, filter.workspaceIds, cursor);
    const { places } = await beginningOf(db, watched, cursor, start);
    return { ...basis, beginning: { places, joined: [], left } };
  }
  const workspaces = () => watchedWorkspaces(deps, context);
  return { ...basis, beginning: await beginningOf(db, await workspaces(), cursor, start), workspaces };
}

/** The workspaces named that may be watched. One that may not be is NOT_FOUND, unless it was watched up to the cursor. */
async function named({ authorizer }: Deps, context: HandlerContext, workspaceIds: readonly string[], cursor: string) {
  const before = cursor === "" ? undefined : decodeCursor(cursor);
  const watched: string[] = [];
  const left: string[] = [];
  for (const id of workspaceIds.map((one) => one.toLowerCase())) {
    const scope = {
      kind: ResourceKind.WORKSPACE,
      id,
      permission: Permission.CHANGE_WATCH,
      field: "filter.workspace_ids",
    };
    const { allowed } = await authorizer.check(subjectOf(context), scope, callOf(context));
    if (!allowed && !before?.has(id)) await authorizer.require(context, scope.kind, id, scope.permission);
    (allowed ? watched : left).push(id);
  }
  return { watched, left };
}

/** All workspaces of the subject that it may watch. */
async function watchedWorkspaces({ clients, membership }: Deps, context: HandlerContext): Promise<string[]> {
  const subject = subjectOf(context);
  const call = callOf(context);
  const ids = await workspacesOf(clients, call, subject);
  if (ids.length > mostWorkspaces) throw limitReached(mostWorkspaces);
  const standings = await Promise.all(ids.map((id) => membership.of(subject, id, call)));
  return ids.filter((_, at) => standings[at]?.permissions.has(Permission.CHANGE_WATCH));
}

async function askOfSubscription(
  { db, authorizer }: Deps,
  subscriptionId: string,
  given: Shard | undefined,
  context: HandlerContext,
): Promise<Ask> {
  await authorizer.require(context, ResourceKind.SUBSCRIPTION, subscriptionId, Permission.CHANGE_WATCH);
  const row = await subscriptionOf({ db }, subscriptionId);
  const shard = given ?? { index: 0, count: 1 };
  const shards = await shardsOf(db.query, row.workspace_id, [row.id]);
  const kept = shards.find((one) => one.shard === shard.index);
  if (shard.count !== row.shard_count || kept === undefined) throw shardInvalid(row.shard_count);
  const cursor = encodeCursor(new Map([[row.workspace_id, kept.acknowledged]]));
  return {
    subject: subjectOf(context),
    call: callOf(context),
    wanted: wantedOf(fromBinary(ChangeFilterSchema, row.filter), shard),
    beginning: await beginningOf(db, [row.workspace_id], cursor, 0),
    subscriptionId: row.id,
  };
}

function wantedOf(filter: ChangeFilter | undefined, shard: Pick<Shard, "index" | "count"> | undefined): Wanted {
  return {
    documentIds: new Set(filter?.documentIds.map((id) => id.toLowerCase())),
    kinds: new Set(filter?.kinds),
    shard: shard && { index: shard.index, count: shard.count },
  };
}
