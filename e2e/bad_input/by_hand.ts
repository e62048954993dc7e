// What no generator can know: how to break a rule that is an expression, and which rules cannot be broken.

import type { Message } from "@bufbuild/protobuf";
import { newId } from "@docket/runtime/ids";

type Fields = Message & Record<string, unknown>;
type Breaker = (valid: Message) => Message;

const set =
  (values: () => Record<string, unknown>): Breaker =>
  (valid) =>
    Object.assign(valid as Fields, values());

const subscriptionWithFilter = set(() => ({ subscriptionId: newId(), cursor: "from elsewhere" }));
const shardPastCount = set(() => ({
  subscriptionId: undefined,
  shard: { $typeName: "docket.document.v1.Shard", index: 2, count: 2 },
}));
const workspaceFilter = set(() => ({
  filter: { $typeName: "docket.document.v1.ChangeFilter", workspaceIds: [newId()], documentIds: [], kinds: [] },
}));
const emptied = (path: string): Breaker =>
  set(() => ({ [path]: "", updateMask: { $typeName: "google.protobuf.FieldMask", paths: [path] } }));
const titleMissing = set(() => ({
  title: "",
  updateMask: { $typeName: "google.protobuf.FieldMask", paths: ["title"] },
}));

/** How to break each rule that is an expression, by its id: changes a copy of a valid message. */
export const celBreakers: Readonly<Record<string, Breaker>> = {
  group_member_kind: set(() => ({ kind: 3 })),
  "watch_changes.subscription": subscriptionWithFilter,
  "list_changes.subscription": subscriptionWithFilter,
  "watch_changes.shard": shardPastCount,
  "list_changes.shard": shardPastCount,
  "create_subscription.filter": workspaceFilter,
  "create_webhook.filter": workspaceFilter,
  "update_webhook.filter": workspaceFilter,
  "update_webhook.name": emptied("name"),
  "update_webhook.url": emptied("url"),
  "update_folder.name": set(() => ({ name: "" })),
  "update_document.title": titleMissing,
  "update_task.title": titleMissing,
  "list_folders.trashed": set(() => ({ parent: { case: "folderId", value: newId() }, trashed: true })),
  "list_documents.anywhere": set(() => ({ parent: { case: "folderId", value: newId() }, trashed: true })),
  "create_archive.something": set(() => ({ documentIds: [], folderIds: [] })),
  "create_task.approval": set(() => ({ kind: 2, place: { case: "workspaceId", value: newId() } })),
  "list_tasks.of": set(() => ({ place: { case: undefined }, assignedToMe: false })),
  "checksum.length": set(() => ({ algorithm: 1, value: new Uint8Array(3) })),
};

/** Rules that no request breaks alone or at all, with the reason, by `<message>.<field> <rule>`. */
export const unbreakable: Readonly<Record<string, string>> = {};
