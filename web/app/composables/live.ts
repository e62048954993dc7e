// What others change, as it happens. Handlers are told of every change at least once; they ask for what they show anew,
// with the rights of that moment, so that being told twice does no harm.

import type { Change } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import type { LiveState } from "~/live/connection.ts";
import type { LiveFilter } from "~/live/tab.ts";

/**
 * Changes while this part of the page lives.
 * - `state`: `connecting`, `live`, `lost` (for some seconds already), `ended` (signed out), `changed` (somebody else is
 *   signed in). On the server and until the page has come to rest: `connecting`.
 * - `onChange(handler, filter?)`: called for each change; the filter may be a function, asked at each.
 * - `onReload(handler)`: called when changes may have been missed: ask for everything anew.
 * - `retry()`: tries to connect at once.
 */
export function useLive() {
  // Only the browser has it.
  const live = useNuxtApp().$live as ReturnType<typeof useNuxtApp>["$live"] | undefined;
  const scope = getCurrentScope();

  function during<Handler>(handlers: Set<Handler> | undefined, handler: Handler): void {
    handlers?.add(handler);
    if (scope !== undefined) onScopeDispose(() => handlers?.delete(handler));
  }

  return {
    state: live?.state ?? ref<LiveState>("connecting"),
    onChange(handler: (change: Change) => void, filter: LiveFilter | (() => LiveFilter) = {}): void {
      during(live?.changes, { handler, filter: typeof filter === "function" ? filter : () => filter });
    },
    onReload(handler: () => void): void {
      during(live?.reloads, handler);
    },
    retry: () => live?.retry(),
  };
}
