// A tab's end of the connection that all tabs of a browser share. Loaded when the page has come to rest.

import { type Change, ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import type { LiveNews, LiveState } from "./connection.ts";
import { Hub, type LiveAsk } from "./hub.ts";

/** Which changes a part of the page is about. */
export interface LiveFilter {
  readonly workspaceId?: string | undefined;
  readonly documentId?: string | undefined;
}

/** What a tab does with what it is told. */
export interface LiveTabOptions {
  readonly userId: string;
  /** The place in the log when the server made this page; empty where it was not made for this account. */
  readonly cursor: string;
  readonly onState: (state: LiveState) => void;
  readonly onChange: (change: Change) => void;
  readonly onReload: () => void;
}

export interface LiveTab {
  /** Tries again at once, where it is lost. */
  wake(): void;
  close(): void;
}

/** How long a hidden tab keeps a connection that it shares with no other, in milliseconds. */
const hiddenMs = 60_000;

/** The link to the hub; anew after the page was put aside. */
interface Link {
  say(ask: LiveAsk): void;
  close(): void;
}

export function openTab({ userId, onState, onChange, onReload, ...options }: LiveTabOptions): LiveTab {
  let { cursor } = options;
  let since = performance.timeOrigin;
  let placedAt = since + arrivedAfter();
  let link: Link | undefined;
  const shared = typeof SharedWorker === "function";
  let hub: Hub | undefined;
  /** Changes are told in the order in which they came. */
  let telling: Promise<void> = Promise.resolve();

  function hear(news: LiveNews): void {
    if (news.type === "state") onState(news.state);
    else if (news.type === "reload") onReload();
    else {
      cursor = news.cursor;
      telling = telling.then(() => tell(news.text)).catch(onReload);
    }
  }

  async function tell(text: string): Promise<void> {
    const { changesOf } = await import("./decode.ts");
    for (const change of changesOf(text)) onChange(change);
  }

  function attach(): void {
    if (link !== undefined) return;
    link = shared ? linkToWorker(userId, hear, useOwnHub) : linkToHub();
    link.say({ type: "attach", since, cursor, placedAt });
  }

  function detach(): void {
    if (link === undefined) return;
    link.say({ type: "detach" });
    link.close();
    link = undefined;
    // Up to here everything was heard.
    since = placedAt = Date.now();
  }

  function linkToHub(): Link {
    hub ??= new Hub(userId, (input, init) => fetch(input, init));
    const port = { postMessage: (news: LiveNews) => void queueMicrotask(() => hear(news)) };
    return { say: (ask) => hub?.hear(port, ask), close: () => undefined };
  }

  /** The worker does not start: the same is done here. */
  function useOwnHub(): void {
    if (link === undefined || hub !== undefined) return;
    link.close();
    link = linkToHub();
    link.say({ type: "attach", since, cursor, placedAt });
  }

  let hiddenTimer: ReturnType<typeof setTimeout> | undefined;
  const ends = new AbortController();
  const { signal } = ends;
  addEventListener("pagehide", detach, { signal });
  addEventListener("pageshow", attach, { signal });
  addEventListener("online", () => link?.say({ type: "wake" }), { signal });
  document.addEventListener(
    "visibilitychange",
    () => {
      clearTimeout(hiddenTimer);
      if (document.visibilityState === "visible") {
        attach();
        link?.say({ type: "wake" });
      } else if (hub !== undefined) hiddenTimer = setTimeout(detach, hiddenMs);
    },
    { signal },
  );
  attach();

  return {
    wake: () => link?.say({ type: "wake" }),
    close() {
      clearTimeout(hiddenTimer);
      ends.abort();
      detach();
    },
  };
}

/** Whether a change bears on what a part of the page shows. */
export function concerns(change: Change, { workspaceId, documentId }: LiveFilter): boolean {
  if (workspaceId !== undefined && change.workspaceId !== workspaceId) return false;
  if (documentId === undefined || change.documentId === documentId) return true;
  // More or less of a folder, or of all, may hold the document.
  return change.documentId === undefined && wide.has(change.kind);
}

const wide = new Set<ChangeKind>([ChangeKind.ACCESS_GAINED, ChangeKind.ACCESS_LOST, ChangeKind.WORKSPACE_DELETED]);

function linkToWorker(userId: string, hear: (news: LiveNews) => void, onFailure: () => void): Link {
  const worker = new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module", name: userId });
  const { port } = worker;
  worker.onerror = onFailure;
  port.onmessage = ({ data }: MessageEvent<LiveNews>) => hear(data);
  return {
    say: (ask) => port.postMessage(ask),
    close() {
      worker.onerror = null;
      port.close();
    },
  };
}

/** How long after its beginning the page's HTML was there. */
function arrivedAfter(): number {
  const [visit] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return visit?.responseStart ?? 0;
}
