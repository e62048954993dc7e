// Connects to the stream of changes as long as somebody is signed in, once the page has come to rest.

import type { Change } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import type { LiveState } from "~/live/connection.ts";
import type { LiveFilter, LiveTab } from "~/live/tab.ts";

/** Who wants to know of which changes. */
interface ChangeHandler {
  readonly handler: (change: Change) => void;
  readonly filter: () => LiveFilter;
}

export default defineNuxtPlugin((app) => {
  const state = ref<LiveState>("connecting");
  const changes = new Set<ChangeHandler>();
  const reloads = new Set<() => void>();
  const { user } = useSession();
  const made = useState<{ userId: string; cursor: string } | undefined>("live-cursor", () => undefined);
  let tab: LiveTab | undefined;
  let opening: string | undefined;

  async function open(userId: string | undefined): Promise<void> {
    if (opening === userId) return;
    opening = userId;
    tab?.close();
    tab = undefined;
    state.value = "connecting";
    if (userId === undefined) return;
    const { openTab, concerns } = await import("~/live/tab.ts");
    // Somebody else may have come meanwhile.
    if (opening !== userId) return;
    tab = openTab({
      userId,
      cursor: made.value?.userId === userId ? made.value.cursor : "",
      onState: (now) => {
        state.value = now;
      },
      onChange: (change) => {
        for (const { handler, filter } of [...changes]) safely(() => concerns(change, filter()) && handler(change));
      },
      onReload: () => {
        for (const reload of [...reloads]) safely(reload);
      },
    });
  }

  app.hook("app:mounted", () => {
    onNuxtReady(() =>
      watch(
        () => user.value?.id,
        (id) => void open(id),
        { immediate: true },
      ),
    );
  });

  return { provide: { live: { state, changes, reloads, retry: () => tab?.wake() } } };
});

/** One part of a page that fails does not keep others from hearing. */
function safely(handle: () => unknown): void {
  try {
    handle();
  } catch (error) {
    console.error(error);
  }
}
