// Valid requests of the document service: tasks, comments, changes and operations.

import { WatchStart } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { Permission, ResourceKind } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import type { BuildersOf } from "./form.ts";
import type { Room } from "./room.ts";
import { next } from "./world.ts";

const seesDocument = { kind: ResourceKind.DOCUMENT, permission: Permission.DOCUMENT_VIEW };
const changesOf = ({ world }: Room) => ({
  request: {
    filter: { workspaceIds: [world.workspaceId], documentIds: [world.documentId] },
    start: WatchStart.OLDEST,
  },
  shows: { id: world.documentId, to: seesDocument },
});

export const taskBuilders = {
  "docket.document.v1.TaskService/CreateTask": {
    alone: (room) => ({ request: { place: { case: "workspaceId", value: room.workspaceId }, title: room.name() } }),
    "on a document": (room) => ({
      request: { place: { case: "documentId", value: room.world.documentId }, title: room.name() },
    }),
  },
  "docket.document.v1.TaskService/GetTask": {
    alone: async (room) => ({ request: { taskId: await room.aloneTask() }, relation: "alone" }),
    "alone, assigned": async (room) => ({
      request: { taskId: await room.aloneTask(true) },
      relation: room.assignable ? "alone, assigned" : "alone",
    }),
    "on a document": async (room) => ({ request: { taskId: await room.task() } }),
  },
  "docket.document.v1.TaskService/ListTasks": {
    "of a document": async (room) => ({
      request: { place: { case: "documentId", value: room.world.documentId } },
      shows: { id: await room.task(), to: seesDocument },
    }),
    "of a workspace": async (room) => ({
      request: { place: { case: "workspaceId", value: room.workspaceId } },
      shows: {
        id: await room.aloneTask(),
        to: { kind: ResourceKind.TASK, permission: Permission.DOCUMENT_VIEW, relation: "alone" },
      },
    }),
  },
  "docket.document.v1.TaskService/UpdateTask": {
    alone: async (room) => ({
      request: { taskId: await room.aloneTask(), title: room.name(), updateMask: { paths: ["title"] } },
      relation: "alone",
    }),
    "on a document": async (room) => ({
      request: { taskId: await room.task(), title: room.name(), updateMask: { paths: ["title"] } },
    }),
  },
  "docket.document.v1.TaskService/CompleteTask": {
    alone: async (room) => ({ request: { taskId: await room.aloneTask() }, relation: "alone" }),
    "on a document": async (room) => ({ request: { taskId: await room.task() } }),
    "by its assignee": async (room) => ({
      request: { taskId: await room.task(true) },
      ...(room.assignable ? { relation: "assigned" as const } : {}),
    }),
  },
  "docket.document.v1.TaskService/ReopenTask": async (room) => ({ request: { taskId: await room.task() } }),
  "docket.document.v1.TaskService/DeleteTask": async (room) => ({ request: { taskId: await room.task() } }),
} satisfies BuildersOf<"docket.document.v1.TaskService">;

export const commentBuilders = {
  "docket.document.v1.CommentService/CreateComment": {
    "on a document": (room) => ({
      request: { subject: { case: "documentId", value: room.world.documentId }, body: "High water at noon." },
    }),
    "on a task": async (room) => ({
      request: { subject: { case: "taskId", value: await room.task() }, body: "High water at noon." },
    }),
  },
  "docket.document.v1.CommentService/ListComments": {
    "on a document": (room) => ({ request: { subject: { case: "documentId", value: room.world.documentId } } }),
    "on a task": async (room) => ({ request: { subject: { case: "taskId", value: await room.task() } } }),
  },
  "docket.document.v1.CommentService/UpdateComment": {
    "one's own": async (room) => ({
      request: { commentId: await room.comment(), body: "Low water.", updateMask: { paths: ["body"] } },
    }),
    // "Changes what one said oneself."
    "another's": async (room) => ({
      request: {
        commentId: await room.comment(room.world.extras.colleague),
        body: "Low water.",
        updateMask: { paths: ["body"] },
      },
      more: false,
    }),
  },
  "docket.document.v1.CommentService/DeleteComment": {
    "one's own": async (room) => ({ request: { commentId: await room.comment() } }),
    // "Its author may, and owners of what it is on."
    "another's": async (room) => ({
      request: { commentId: await room.comment(room.world.extras.colleague) },
      more: room.maker(Permission.DOCUMENT_OWN) === room.subject,
    }),
  },
} satisfies BuildersOf<"docket.document.v1.CommentService">;

export const changeBuilders = {
  "docket.document.v1.ChangeService/WatchChanges": changesOf,
  "docket.document.v1.ChangeService/ListChanges": (room) => {
    const { request, shows } = changesOf(room);
    return { request: { ...request, pageSize: 1000 }, shows };
  },
  "docket.document.v1.ChangeService/ListActivity": ({ world }) => ({ request: { documentId: world.documentId } }),
  "docket.document.v1.ChangeService/CreateSubscription": (room) => ({
    request: { workspaceId: room.workspaceId, name: `consumer-${next()}` },
  }),
  "docket.document.v1.ChangeService/GetSubscription": async (room) => {
    const { id, relation } = await room.subscription();
    return { request: { subscriptionId: id }, relation };
  },
  "docket.document.v1.ChangeService/ListSubscriptions": (room) => ({ request: { workspaceId: room.workspaceId } }),
  "docket.document.v1.ChangeService/AcknowledgeChanges": async (room) => {
    const { id, relation } = await room.subscription();
    const { subscription } = await room.owner.clients.changes.getSubscription({ subscriptionId: id });
    return { request: { subscriptionId: id, cursor: subscription?.shards[0]?.cursor ?? "" }, relation };
  },
  "docket.document.v1.ChangeService/DeleteSubscription": async (room) => {
    const { id, relation } = await room.subscription();
    return { request: { subscriptionId: id }, relation };
  },
} satisfies BuildersOf<"docket.document.v1.ChangeService">;

export const operationBuilders = {
  "docket.document.v1.OperationService/GetOperation": async (room) => {
    const { id, relation } = await room.operation();
    return { request: { operationId: id }, relation };
  },
  "docket.document.v1.OperationService/ListOperations": (room) => ({ request: { workspaceId: room.workspaceId } }),
  "docket.document.v1.OperationService/WatchOperation": async (room) => {
    const { id, relation } = await room.operation();
    return { request: { operationId: id }, relation };
  },
  "docket.document.v1.OperationService/CancelOperation": async (room) => {
    const { id, relation } = await room.operation();
    return { request: { operationId: id }, relation, otherwise: [Reason.OPERATION_NOT_CANCELLABLE] };
  },
} satisfies BuildersOf<"docket.document.v1.OperationService">;
