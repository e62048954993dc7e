// Which tabs of this browser are alive, so that no two work at the same upload.
// A tab that is alive holds a lock with its name; where there are no locks (plain HTTP), it answers when it is called.

export interface Tab {
  readonly id: string;
  /** Whether another tab still lives. */
  isAlive(id: string): Promise<boolean>;
  /** Tells the others that this tab has taken uploads over. */
  tellTaken(ids: readonly string[]): void;
  close(): void;
}

/** How long a tab has to answer: one that is busy is slow, one that is gone says nothing, in milliseconds. */
const answerMs = 800;
const channelName = "docket-uploads";

type Message =
  | { readonly kind: "call"; readonly to: string }
  | { readonly kind: "answer"; readonly from: string }
  | { readonly kind: "taken"; readonly by: string; readonly ids: readonly string[] };

export function openTab(id: string, onTaken: (ids: readonly string[]) => void): Tab {
  const channel = typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel(channelName);
  const locks = navigator.locks as LockManager | undefined;
  const answers = new Set<(from: string) => void>();
  const end = new AbortController();

  // Never settled: the lock ends with the page. A page that holds one is not frozen in the background either.
  locks
    ?.request(
      lockName(id),
      { signal: end.signal },
      () =>
        new Promise((_, reject) => {
          end.signal.addEventListener("abort", () => reject(end.signal.reason));
        }),
    )
    .catch(() => undefined);

  channel?.addEventListener("message", ({ data }: MessageEvent<Message>) => {
    if (data.kind === "call" && data.to === id) channel.postMessage({ kind: "answer", from: id } satisfies Message);
    if (data.kind === "answer") for (const heard of answers) heard(data.from);
    if (data.kind === "taken" && data.by !== id) onTaken(data.ids);
  });

  return {
    id,
    async isAlive(other) {
      if (other === id) return true;
      const { held = [] } = (await locks?.query()) ?? {};
      if (held.some(({ name }) => name === lockName(other))) return true;
      if (locks !== undefined || channel === undefined) return false;
      return await new Promise((resolve) => {
        const settle = (alive: boolean) => {
          clearTimeout(timer);
          answers.delete(heard);
          resolve(alive);
        };
        const heard = (from: string) => from === other && settle(true);
        const timer = setTimeout(() => settle(false), answerMs);
        answers.add(heard);
        channel.postMessage({ kind: "call", to: other } satisfies Message);
      });
    },
    tellTaken: (ids) => channel?.postMessage({ kind: "taken", by: id, ids } satisfies Message),
    close() {
      end.abort();
      channel?.close();
    },
  };
}

function lockName(tab: string): string {
  return `docket-tab-${tab}`;
}
