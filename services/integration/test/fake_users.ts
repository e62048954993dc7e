// The user service, as far as the integration service asks it.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { MembershipService } from "@docket/contracts/gen/docket/user/v1/membership_service_pb.ts";
import { TokenService } from "@docket/contracts/gen/docket/user/v1/token_service_pb.ts";
import type { UserChangeSchema } from "@docket/contracts/gen/docket/user/v1/user_change_pb.ts";
import { UserChangeService } from "@docket/contracts/gen/docket/user/v1/user_change_service_pb.ts";
import { newId } from "@docket/runtime/ids";
import type { Clients } from "../clients.ts";

type Event = MessageInitShape<typeof UserChangeSchema>["event"];

/** What the built-in roles allow, as far as it matters here. */
export const roles = {
  admin: [Permission.WORKSPACE_VIEW, Permission.CHANGE_WATCH, Permission.WEBHOOK_MANAGE],
  member: [Permission.WORKSPACE_VIEW, Permission.CHANGE_WATCH],
} as const;

export class FakeUsers {
  readonly #members = new Map<string, readonly Permission[]>();
  readonly #key: { id: string; x: string };
  readonly #log: { id: string; event: Event }[] = [];
  readonly #wakers = new Set<() => void>();

  constructor(key: { id: string; x: string }) {
    this.#key = key;
  }

  join(id: string, workspaceId: string, role: keyof typeof roles): void {
    this.#members.set(`${workspaceId} ${id}`, roles[role]);
    this.#tell({ case: "accessChanged", value: { workspaceId, epoch: newId() } });
  }

  /** Deletes a workspace, with everybody's access to it. */
  remove(workspaceId: string): void {
    for (const key of [...this.#members.keys()]) if (key.startsWith(workspaceId)) this.#members.delete(key);
    this.#tell({ case: "workspaceDeleted", value: { workspaceId } });
  }

  clients(): Omit<Clients, "feed"> {
    const transport = createRouterTransport((router) => {
      router.service(MembershipService, {
        getMembership: ({ subject, workspaceId }) => {
          const permissions = this.#members.get(`${workspaceId} ${subject?.id}`);
          return { member: permissions !== undefined, permissions: [...(permissions ?? [])], epoch: "1" };
        },
      });
      router.service(TokenService, { listPublicKeys: () => ({ keys: [this.#key], maxAgeSeconds: 300 }) });
      router.service(UserChangeService, {
        watchUserChanges: (request, { signal }) => this.#watch(request.cursor, signal),
      });
    });
    return {
      memberships: createClient(MembershipService, transport),
      tokens: createClient(TokenService, transport),
      userChanges: createClient(UserChangeService, transport),
    };
  }

  #tell(event: Event): void {
    this.#log.push({ id: newId(), event });
    for (const wake of this.#wakers) wake();
  }

  async *#watch(cursor: string, signal: AbortSignal) {
    let at = cursor === "" ? this.#log.length : Number(cursor);
    while (!signal.aborted) {
      const changes = this.#log.slice(at);
      at += changes.length;
      yield { changes, cursor: String(at) };
      if (this.#log.length > at) continue;
      await new Promise<void>((resolve) => {
        this.#wakers.add(resolve);
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }
}
