// A portal for one test: somebody signed in (or nobody), an edge in memory, and a way to try composables and components.
//
//   await using portal = await openPortal({ routes: (router) => router.service(TaskService, { … }) });
//   const tasks = await portal.run(() => useTasks());
//   const page = await portal.mount(TaskRow, { props: { task } });
//   expect(requestsOf(portal.calls, TaskService.method.listTasks)).toEqual([…]);

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { ChangeSchema } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { SessionSchema } from "@docket/contracts/gen/docket/user/v1/session_pb.ts";
import { UserSchema } from "@docket/contracts/gen/docket/user/v1/user_pb.ts";
import { WorkspaceSchema } from "@docket/contracts/gen/docket/user/v1/workspace_pb.ts";
import { mountSuspended } from "@nuxt/test-utils/runtime";
import { type Component, defineComponent } from "vue";
import { clearNuxtData, clearNuxtState, useNuxtApp } from "#imports";
import { concerns } from "~/live/tab.ts";
import { type EdgeCall, openEdge, type Routes } from "./edge.ts";

export { type EdgeCall, refusal, requestsOf } from "./edge.ts";

/** Who is signed in unless the test says otherwise, and where. */
export const anna = {
  id: "01900000-0000-7000-8000-00000000a22a",
  email: "anna@example.com",
  displayName: "Anna Keller",
  locale: "en-GB",
  timeZone: "Europe/Zurich",
} as const;
export const harbour = {
  id: "01900000-0000-7000-8000-0000000000aa",
  name: "Harbour Works",
  timeZone: "Europe/Zurich",
} as const;

export interface PortalOptions {
  /** What the edge answers. Default: nothing is there. */
  readonly routes?: Routes;
  /** Who is signed in. Null: nobody. Default: Anna, in one workspace. */
  readonly visitor?: {
    readonly user?: MessageInitShape<typeof UserSchema>;
    readonly workspaces?: readonly MessageInitShape<typeof WorkspaceSchema>[];
  } | null;
  /** The page's address. Default: "/". Pages are not rendered for it. */
  readonly route?: string;
}

type MountOptions = Parameters<typeof mountSuspended>[1];

export interface Portal extends AsyncDisposable {
  /** What reached the edge since the portal was opened. */
  readonly calls: readonly EdgeCall[];
  /** Tells a change as the stream would; "reload" is what is told where changes may have been missed. */
  tell(change: MessageInitShape<typeof ChangeSchema> | "reload"): void;
  /** Runs a composable in the set-up of a component that lives as long as the portal. */
  run<T>(setup: () => T | Promise<T>): Promise<T>;
  /** Mounts a component; it lives as long as the portal. */
  mount(component: Component, options?: MountOptions): ReturnType<typeof mountSuspended>;
}

export async function openPortal(options: PortalOptions = {}): Promise<Portal> {
  const calls = openEdge(options.routes ?? ((_: ConnectRouter) => undefined));
  const app = useNuxtApp();
  app.payload.state.$svisitor = visitorOf(options.visitor);
  let route: string | false = options.route ?? "/";
  const mounted: { unmount(): void }[] = [];

  const mount: Portal["mount"] = async (component, mounting) => {
    const wrapper = await mountSuspended(component as never, { route, ...(mounting as object) });
    // Only the first goes there: what comes later finds the page where the one before has led.
    route = false;
    mounted.push(wrapper);
    return wrapper as never;
  };

  return {
    calls,
    mount,
    tell(told) {
      const { changes, reloads } = app.$live;
      if (told === "reload") {
        for (const reload of [...reloads]) reload();
        return;
      }
      const change = create(ChangeSchema, told);
      for (const { handler, filter } of [...changes]) if (concerns(change, filter())) handler(change);
    },
    async run<T>(setup: () => T | Promise<T>): Promise<T> {
      let made: { value: T } | undefined;
      await mount(
        defineComponent({
          async setup() {
            made = { value: await setup() };
            return () => null;
          },
        }),
      );
      if (made === undefined) throw new Error("The set-up has thrown; see the error above");
      return made.value;
    },
    async [Symbol.asyncDispose]() {
      for (const wrapper of mounted.reverse()) wrapper.unmount();
      openEdge(undefined);
      clearNuxtData();
      clearNuxtState();
    },
  };
}

function visitorOf(visitor: PortalOptions["visitor"]) {
  if (visitor === null) return null;
  const { user = anna, workspaces = [harbour] } = visitor ?? {};
  return {
    user: create(UserSchema, user),
    session: create(SessionSchema, {}),
    workspaces: workspaces.map((one) => create(WorkspaceSchema, one)),
  };
}
