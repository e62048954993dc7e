// The user service, as far as the document service asks it.

import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { MembershipService } from "@docket/contracts/gen/docket/user/v1/membership_service_pb.ts";
import {
  NotificationService,
  type SendTaskReminderRequest,
} from "@docket/contracts/gen/docket/user/v1/notification_service_pb.ts";
import { TokenService } from "@docket/contracts/gen/docket/user/v1/token_service_pb.ts";
import type { UserChangeSchema } from "@docket/contracts/gen/docket/user/v1/user_change_pb.ts";
import { UserChangeService } from "@docket/contracts/gen/docket/user/v1/user_change_service_pb.ts";
import { WorkspaceService } from "@docket/contracts/gen/docket/user/v1/workspace_service_pb.ts";
import { newId } from "@docket/runtime/ids";
import type { Clients } from "../clients.ts";

const member = [
  Permission.WORKSPACE_VIEW,
  Permission.DOCUMENT_VIEW,
  Permission.DOCUMENT_COMMENT,
  Permission.DOCUMENT_EDIT,
  Permission.TASK_CREATE,
  Permission.UPLOAD_CREATE,
  Permission.CHANGE_WATCH,
];

/** What the built-in roles allow. */
export const roles = {
  owner: [...member, Permission.WORKSPACE_MANAGE, Permission.WORKSPACE_OWN, Permission.DOCUMENT_OWN],
  admin: [...member, Permission.WORKSPACE_MANAGE, Permission.DOCUMENT_OWN],
  member,
  guest: [Permission.WORKSPACE_VIEW, Permission.UPLOAD_CREATE, Permission.CHANGE_WATCH],
} as const satisfies Record<string, readonly Permission[]>;

type Event = MessageInitShape<typeof UserChangeSchema>["event"];

export class FakeUsers {
  readonly #members = new Map<string, readonly Permission[]>();
  readonly #groups = new Map<string, string[]>();
  readonly #names = new Map<string, string>();
  readonly #removed = new Set<string>();
  /** The mails that were asked for, each once, as the contract says. */
  readonly mails = new Map<string, SendTaskReminderRequest>();
  readonly #key: { id: string; x: string };
  #log: { id: string; event: Event }[] = [];
  #wakers = new Set<() => void>();

  constructor(key: { id: string; x: string }) {
    this.#key = key;
  }

  /** Makes somebody a member; another role replaces the one before. */
  join(
    who: { readonly id: string },
    workspaceId: string,
    role: keyof typeof roles | readonly Permission[] = "member",
  ): void {
    this.#members.set(`${workspaceId} ${who.id}`, typeof role === "string" ? roles[role] : role);
    this.tell({ case: "accessChanged", value: { workspaceId, epoch: newId() } });
  }

  /** Takes somebody out of a workspace. */
  leave(who: { readonly id: string }, workspaceId: string): void {
    this.#members.delete(`${workspaceId} ${who.id}`);
    this.tell({ case: "memberRemoved", value: { workspaceId, userId: who.id } });
  }

  /** Deletes a workspace, with everybody's access to it. */
  remove(workspaceId: string): void {
    for (const key of [...this.#members.keys()]) if (key.startsWith(workspaceId)) this.#members.delete(key);
    this.#removed.add(workspaceId);
    this.tell({ case: "workspaceDeleted", value: { workspaceId } });
  }

  /** Makes a group of these. */
  group(workspaceId: string, ...who: { readonly id: string }[]): string {
    const groupId = newId();
    this.#names.set(`${workspaceId} ${groupId}`, "group");
    for (const { id } of who) {
      const key = `${workspaceId} ${id}`;
      this.#groups.set(key, [...(this.#groups.get(key) ?? []), groupId]);
    }
    this.tell({ case: "accessChanged", value: { workspaceId, epoch: newId() } });
    return groupId;
  }

  /** Lets those who follow know. */
  tell(event: Event): void {
    this.#log.push({ id: newId(), event });
    for (const wake of this.#wakers) wake();
  }

  clients(): Omit<Clients, "blobs"> {
    const transport = createRouterTransport((router) => {
      router.service(MembershipService, {
        getMembership: ({ subject, workspaceId }) => {
          const key = `${workspaceId} ${subject?.id}`;
          const permissions = this.#members.get(key);
          if (permissions === undefined) return { member: false, epoch: String(this.#log.length) };
          const groupIds = this.#groups.get(key) ?? [];
          return { member: true, permissions: [...permissions], groupIds, epoch: String(this.#log.length) };
        },
        resolvePrincipals: ({ workspaceId, principals }) => ({
          principals: principals
            .filter(({ id }) => this.#members.has(`${workspaceId} ${id}`) || this.#names.has(`${workspaceId} ${id}`))
            .map((principal) => ({ principal, name: "somebody", active: true })),
        }),
        getWorkspaceFacts: ({ workspaceId }) => ({
          name: "Workspace",
          timeZone: "Europe/Berlin",
          ...(this.#removed.has(workspaceId) && { deleteTime: { seconds: 1n } }),
        }),
      });
      router.service(WorkspaceService, {
        listWorkspaces: (_, { requestHeader }) => {
          const id = subjectOf(requestHeader);
          const ids = [...this.#members.keys()].filter((key) => key.endsWith(id)).map((key) => key.split(" ")[0]);
          return { workspaces: ids.map((workspaceId) => ({ id: workspaceId ?? "", name: "Workspace" })) };
        },
      });
      router.service(NotificationService, {
        sendTaskReminder: (request) => {
          this.mails.set(request.requestId, request);
          return { mails: 1 };
        },
      });
      router.service(TokenService, { listPublicKeys: () => ({ keys: [this.#key], maxAgeSeconds: 300 }) });
      router.service(UserChangeService, {
        watchUserChanges: (request, { signal }) => this.#watch(request.cursor, signal),
      });
    });
    return {
      memberships: createClient(MembershipService, transport),
      workspaces: createClient(WorkspaceService, transport),
      notifications: createClient(NotificationService, transport),
      tokens: createClient(TokenService, transport),
      userChanges: createClient(UserChangeService, transport),
    };
  }

  async *#watch(cursor: string, signal: AbortSignal) {
    let at = cursor === "" ? this.#log.length : Number(cursor);
    for (;;) {
      const changes = this.#log.slice(at);
      at += changes.length;
      yield { changes, cursor: String(at) };
      if (signal.aborted) return;
      if (this.#log.length > at) continue;
      await new Promise<void>((resolve) => {
        this.#wakers.add(resolve);
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
      if (signal.aborted) return;
    }
  }
}

/** Whose token a call carries. */
export function subjectOf(headers: Headers): string {
  const [, payload = ""] = (headers.get("authorization") ?? "").split(".");
  return String((JSON.parse(Buffer.from(payload, "base64url").toString() || "{}") as { sub?: string }).sub);
}
