// The keyboard in my tasks: arrows (or j and k) go from row to row, x or Space completes, Enter opens.

import type { Task } from "@docket/contracts/gen/docket/document/v1/task_pb.ts";

export function useTaskKeys(
  list: Readonly<Ref<HTMLElement | null>>,
  tasks: () => readonly Task[],
  acts: { readonly complete: (task: Task) => void },
) {
  /** The task whose row Tab leads to. */
  const wanted = ref("");
  const current = computed({
    get: () => (tasks().some(({ id }) => id === wanted.value) ? wanted.value : (tasks()[0]?.id ?? "")),
    set: (id) => (wanted.value = id),
  });

  const rows = () => [...(list.value?.querySelectorAll<HTMLElement>("[data-task]") ?? [])];

  function move(by: number | "first" | "last"): void {
    const all = rows();
    const at = all.findIndex(({ dataset }) => dataset.taskId === current.value);
    const to = by === "first" ? 0 : by === "last" ? all.length - 1 : Math.min(all.length - 1, Math.max(0, at + by));
    all[to]?.focus();
    all[to]?.scrollIntoView({ block: "nearest" });
  }

  const ways: Record<string, number | "first" | "last"> = {
    ArrowDown: 1,
    ArrowUp: -1,
    j: 1,
    k: -1,
    Home: "first",
    End: "last",
  };

  function onKeydown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const way = ways[event.key];
    if (way !== undefined) move(way);
    else if (event.key === "x" || (event.key === " " && onRow(event))) {
      const task = tasks().find(({ id }) => id === current.value);
      if (task !== undefined && !event.repeat) acts.complete(task);
    } else return;
    event.preventDefault();
  }

  /** Some browsers press a button when Space is let go. */
  function onKeyup(event: KeyboardEvent): void {
    if (event.key === " " && onRow(event)) event.preventDefault();
  }

  /** The task is about to leave the list: the focus goes to its neighbour, if it is there at all. */
  function leaving(id: string): void {
    const all = rows();
    const at = all.findIndex(({ dataset }) => dataset.taskId === id);
    const here = all[at]?.closest("li")?.contains(document.activeElement) ?? false;
    const next = all[at + 1] ?? all[at - 1];
    if (!here || next === undefined) return;
    wanted.value = next.dataset.taskId ?? "";
    next.focus();
  }

  return { current, onKeydown, onKeyup, leaving };
}

/** Space on a row's title completes; on its other buttons it presses them. */
function onRow({ target }: Event): boolean {
  return target instanceof HTMLElement && "task" in target.dataset;
}
