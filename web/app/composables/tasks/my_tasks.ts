// The open tasks of the person and of groups of theirs, in every workspace. Kept once for the page and the number in the
// sidebar, and kept fresh while either is there.

import { type Change, ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { type Task, type TaskOutcome, TaskStatus } from "@docket/contracts/gen/docket/document/v1/task_pb.ts";

/** What is known of them. */
interface MyTasks {
  readonly tasks: readonly Task[];
  /** Where the list goes on that was not loaded; empty when all are here. */
  readonly nextPageToken: string;
}

/** What all parts of one page share beside the list itself. */
interface Shared {
  /** Counts reloads: the answer of an earlier one is of no use. */
  turn: number;
  /** Counts own changes on their way: a list that was asked for before they arrived does not know of them. */
  pending: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** How many are loaded at most; who has more is told so. */
export const mostTasks = 2000;
const pageSize = 200;
/** How long others' changes are gathered before the list is asked for again, in milliseconds. */
const gatherMs = 600;
const open: readonly TaskStatus[] = [TaskStatus.OPEN, TaskStatus.IN_PROGRESS];

const sharedOf = (app: object): Shared => {
  const kept = app as { docketMyTasks?: Shared };
  kept.docketMyTasks ??= { turn: 0, pending: 0, timer: undefined };
  return kept.docketMyTasks;
};

export function useMyTasks() {
  const client = useTasks();
  const { faultOf } = useFaults();
  const { onChange, onReload } = useLive();
  const shared = sharedOf(useNuxtApp());
  const known = useState<MyTasks | undefined>("my-tasks", () => shallowRef());
  const fault = useState<Fault | undefined>("my-tasks-fault", () => undefined);

  /** Lists anew. The server gives the first page; the browser loads the rest. */
  async function load(): Promise<void> {
    shared.turn += 1;
    const mine = shared.turn;
    try {
      const found = await pages(import.meta.server ? 1 : mostTasks / pageSize, { tasks: [], nextPageToken: "" });
      if (mine !== shared.turn) return;
      if (shared.pending > 0) return schedule();
      known.value = found;
      fault.value = undefined;
    } catch (error) {
      if (mine === shared.turn) fault.value = faultOf(error);
    }
  }

  /** Loads what the server has left out. */
  async function loadRest(): Promise<void> {
    const { value: first } = known;
    if (first === undefined || first.nextPageToken === "" || first.tasks.length >= mostTasks) return;
    await load();
  }

  async function pages(most: number, { tasks, nextPageToken }: MyTasks): Promise<MyTasks> {
    const found = new Map(tasks.map((task) => [task.id, task]));
    for (let page = 0; page < most; page++) {
      const next = await client.list({ assignedToMe: true, statuses: open }, nextPageToken, pageSize);
      // What is long is shown with the task itself, which is asked for then.
      for (const task of next.tasks) found.set(task.id, { ...task, description: "" });
      nextPageToken = next.nextPageToken;
      if (nextPageToken === "") break;
    }
    return { tasks: [...found.values()], nextPageToken };
  }

  function schedule(): void {
    clearTimeout(shared.timer);
    shared.timer = setTimeout(() => void load(), gatherMs);
  }

  /** Puts a task in its place, or takes it out where it is not to be done any more. */
  function put(task: Task): void {
    const { tasks, nextPageToken } = known.value ?? { tasks: [], nextPageToken: "" };
    const others = tasks.filter(({ id }) => id !== task.id);
    known.value = { tasks: open.includes(task.status) ? [task, ...others] : others, nextPageToken };
  }

  /** Shows what an act leads to at once, and the truth when it is known. */
  async function act(before: Task, after: Task, run: () => Promise<Task>): Promise<Task> {
    put(after);
    shared.pending += 1;
    try {
      const fresh = await run();
      put(fresh);
      return fresh;
    } catch (error) {
      put(before);
      throw error;
    } finally {
      shared.pending -= 1;
    }
  }

  function concerns({ kind, documentId }: Change): boolean {
    if (kind >= ChangeKind.TASK_CREATED && kind <= ChangeKind.TASK_DELETED) return true;
    if (!bearing.has(kind)) return false;
    return documentId === undefined || (known.value?.tasks.some(({ pin }) => pin?.documentId === documentId) ?? false);
  }
  onChange((change) => {
    if (known.value !== undefined && concerns(change)) schedule();
  });
  onReload(schedule);

  return {
    /** Undefined: nothing has come yet. */
    tasks: computed(() => known.value?.tasks),
    /** Whether there are more than are loaded. */
    more: computed(() => (known.value?.nextPageToken ?? "") !== "" && (known.value?.tasks.length ?? 0) >= mostTasks),
    fault,
    load,
    loadRest,
    put,
    /** Forgets one that is gone. */
    drop: (id: string) => {
      if (known.value) known.value = { ...known.value, tasks: known.value.tasks.filter((task) => task.id !== id) };
    },
    /** Completes one, or decides about an approval. */
    complete: (task: Task, outcome?: TaskOutcome) =>
      act(task, { ...task, status: TaskStatus.COMPLETED }, () => client.complete(task, outcome)),
    /** Opens one again. */
    reopen: (task: Task) => act(task, { ...task, status: TaskStatus.OPEN }, () => client.reopen(task.id)),
  };
}

/** Kinds that bear on tasks without being of one. */
const bearing = new Set<ChangeKind>([
  ChangeKind.VERSION_CREATED,
  ChangeKind.DOCUMENT_TRASHED,
  ChangeKind.DOCUMENT_UNDELETED,
  ChangeKind.DOCUMENT_PURGED,
  ChangeKind.ACCESS_GAINED,
  ChangeKind.ACCESS_LOST,
  ChangeKind.WORKSPACE_DELETED,
]);
