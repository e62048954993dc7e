// What happened, in words.

import { type Change, ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";

/** What a sentence needs of a change: which one, and which version it tells of. */
export interface ChangeSentence {
  readonly key: TextKey;
  readonly values: Readonly<Record<string, string | number>>;
}

const sentences: Readonly<Partial<Record<ChangeKind, TextKey>>> = {
  [ChangeKind.DOCUMENT_CREATED]: "activity.documentCreated",
  [ChangeKind.DOCUMENT_UPDATED]: "activity.documentUpdated",
  [ChangeKind.DOCUMENT_MOVED]: "activity.documentMoved",
  [ChangeKind.DOCUMENT_TRASHED]: "activity.documentTrashed",
  [ChangeKind.DOCUMENT_UNDELETED]: "activity.documentUndeleted",
  [ChangeKind.DOCUMENT_PURGED]: "activity.documentPurged",
  [ChangeKind.VERSION_CREATED]: "activity.versionCreated",
  [ChangeKind.VERSION_UPDATED]: "activity.versionUpdated",
  [ChangeKind.VERSION_REMOVED]: "activity.versionRemoved",
  [ChangeKind.TASK_CREATED]: "activity.taskCreated",
  [ChangeKind.TASK_UPDATED]: "activity.taskUpdated",
  [ChangeKind.TASK_COMPLETED]: "activity.taskCompleted",
  [ChangeKind.TASK_REOPENED]: "activity.taskReopened",
  [ChangeKind.TASK_DELETED]: "activity.taskDeleted",
  [ChangeKind.TASK_DUE]: "activity.taskDue",
  [ChangeKind.COMMENT_CREATED]: "activity.commentCreated",
  [ChangeKind.COMMENT_UPDATED]: "activity.commentUpdated",
  [ChangeKind.COMMENT_DELETED]: "activity.commentDeleted",
  [ChangeKind.GRANT_SET]: "activity.grantSet",
  [ChangeKind.GRANT_REVOKED]: "activity.grantRevoked",
};

/** The sentence of a change; `task` is the title of the task it concerns, `holder` whom a grant is for. */
export function changeSentence(
  change: Change,
  names: { task?: string; holder?: string; level?: string },
): ChangeSentence {
  const key = change.taskDue?.overdue ? "activity.taskOverdue" : (sentences[change.kind] ?? "activity.something");
  const named: Partial<Record<TextKey, TextKey>> = {
    "activity.taskCreated": "activity.taskCreatedNamed",
    "activity.taskUpdated": "activity.taskUpdatedNamed",
    "activity.taskCompleted": "activity.taskCompletedNamed",
    "activity.taskReopened": "activity.taskReopenedNamed",
    "activity.taskDue": "activity.taskDueNamed",
    "activity.taskOverdue": "activity.taskOverdueNamed",
  };
  const { task = "", holder = "", level = "" } = names;
  return {
    key: (task !== "" && named[key]) || key,
    values: { n: change.version?.number ?? 0, task, holder, level },
  };
}

/** The icon of a change. */
export function changeIcon(kind: ChangeKind): string {
  if (kind === ChangeKind.DOCUMENT_TRASHED || kind === ChangeKind.DOCUMENT_PURGED) return "i-lucide-trash-2";
  if (kind === ChangeKind.DOCUMENT_MOVED) return "i-lucide-folder-input";
  if (kind === ChangeKind.DOCUMENT_UPDATED || kind === ChangeKind.VERSION_UPDATED) return "i-lucide-pencil";
  if (kind === ChangeKind.DOCUMENT_CREATED || kind === ChangeKind.VERSION_CREATED) return "i-lucide-file-up";
  if (kind === ChangeKind.TASK_COMPLETED) return "i-lucide-circle-check-big";
  if (kind === ChangeKind.TASK_DUE) return "i-lucide-alarm-clock";
  if (kind === ChangeKind.VERSION_REMOVED) return "i-lucide-file-minus";
  if (kind >= ChangeKind.TASK_CREATED && kind <= ChangeKind.TASK_DELETED) return "i-lucide-list-checks";
  if (kind >= ChangeKind.COMMENT_CREATED && kind <= ChangeKind.COMMENT_DELETED) return "i-lucide-message-square";
  if (kind === ChangeKind.GRANT_SET || kind === ChangeKind.GRANT_REVOKED) return "i-lucide-key-round";
  return "i-lucide-history";
}

/** Things of one day after each other, in the order in which they come; `dayOf` names the day. */
export function groupByDay<Item>(
  items: readonly Item[],
  dayOf: (item: Item) => string,
): { day: string; items: Item[] }[] {
  const days: { day: string; items: Item[] }[] = [];
  for (const item of items) {
    const day = dayOf(item);
    const last = days.at(-1);
    if (last?.day === day) last.items.push(item);
    else days.push({ day, items: [item] });
  }
  return days;
}
