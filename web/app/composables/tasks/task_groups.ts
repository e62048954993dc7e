// My tasks by when they are due.

import { type Task, TaskPriority } from "@docket/contracts/gen/docket/document/v1/task_pb.ts";

export const dueGroups = ["overdue", "today", "later", "undated"] as const;
export type DueGroup = (typeof dueGroups)[number];

/** Which of my tasks are shown. */
export interface TaskChoice {
  /** Only of this workspace; empty: of all. */
  readonly workspaceId: string;
  /** Only those of the person, or only those of groups; empty: both. */
  readonly whose: "" | "me" | "groups";
}

export function useTaskGroups() {
  const { workspaces } = useSession();
  const { daysUntil } = useDates();

  /** The zone in which a task's date is meant. */
  function zoneOf(task: Task): string {
    return workspaces.value.find(({ id }) => id === task.workspaceId)?.timeZone ?? "UTC";
  }

  function groupOf(task: Task): DueGroup {
    if (task.dueDate === undefined) return "undated";
    const days = daysUntil(task.dueDate, zoneOf(task));
    return days < 0 ? "overdue" : days === 0 ? "today" : "later";
  }

  /** The groups that have tasks, and the tasks in their order: the earliest due first, then what matters more. */
  function grouped(tasks: readonly Task[]): { readonly name: DueGroup; readonly tasks: readonly Task[] }[] {
    const found = new Map<DueGroup, Task[]>(dueGroups.map((name) => [name, []]));
    for (const task of tasks) found.get(groupOf(task))?.push(task);
    return [...found].filter(([, all]) => all.length > 0).map(([name, all]) => ({ name, tasks: all.sort(byUrgency) }));
  }

  return { zoneOf, groupOf, grouped };
}

/** Whether a task is among those chosen. */
export function isChosen(task: Task, { workspaceId, whose }: TaskChoice): boolean {
  if (workspaceId !== "" && task.workspaceId !== workspaceId) return false;
  const group = task.assignee?.assignee.case === "groupId";
  return whose === "" || group === (whose === "groups");
}

function byUrgency(a: Task, b: Task): number {
  return dayOf(a) - dayOf(b) || weightOf(b) - weightOf(a) || (a.id < b.id ? 1 : -1);
}

function dayOf({ dueDate }: Task): number {
  return dueDate === undefined ? 0 : dueDate.year * 372 + dueDate.month * 31 + dueDate.day;
}

function weightOf({ priority }: Task): number {
  return priority || TaskPriority.NORMAL;
}
