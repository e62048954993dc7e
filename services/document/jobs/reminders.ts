// Tells of tasks that are due: a change in the log, written in the transaction that marks the task as told of, so that it
// is there exactly once whoever dies when; and a mail to the assignees, which is asked for in that transaction and sent by
// the user service at least once.

import { Code, ConnectError } from "@connectrpc/connect";
import { ChangeKind } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { TaskStatus } from "@docket/contracts/gen/docket/document/v1/task_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { PrincipalKind } from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";
import type { Clock } from "@docket/runtime/clock";
import { afterCommit } from "@docket/runtime/db/database";
import { reasonOf } from "@docket/runtime/errors";
import { newId } from "@docket/runtime/ids";
import type { MembershipCache } from "@docket/runtime/membership";
import { enqueue } from "@docket/runtime/queue/queue";
import type { JobHandler } from "@docket/runtime/queue/worker";
import type { Clients } from "../clients.ts";
import { accessOf, principalsOf, root } from "../domain/access.ts";
import { earliestZone, lastMorning } from "../domain/reminders.ts";
import { etagOf } from "../domain/revision.ts";
import type { Events } from "../events.ts";
import { assigneeMessage, dateMessage } from "../handlers/task_messages.ts";
import { recordChanges } from "../store/changes.ts";
import type { DocumentDatabase, Tables, Tx } from "../store/entities.ts";
import { grantsReaching, locateDocument } from "../store/places.ts";
import { markTold, nextGroup, type ReminderGroup, type Told } from "../store/reminders.ts";
import { readTask, type TaskRow } from "../store/tasks.ts";

/** The job that asks for the mail of one reminder. */
export const reminderMailJob = "reminder_mail";

/** How often mails are asked for: an hour in all, after which the morning is over. */
const mailAttempts = 12;

/** How many tasks go in one transaction. */
const atOnce = 50;

/** How long the time zone of a workspace is remembered, in milliseconds. */
const zoneMs = 15 * 60_000;
const mostZones = 100_000;

export interface ReminderOptions {
  readonly db: DocumentDatabase;
  readonly clients: Pick<Clients, "memberships" | "notifications">;
  readonly membership: MembershipCache;
  readonly events: Events;
  readonly clock: Clock;
}

/** Tells of everything whose morning has come where its workspace is; `remindAt` is a time of day such as `08:00`. */
export function tellDue({ db, clients, events, clock }: ReminderOptions, remindAt: string): JobHandler<Tables> {
  const zoneOf = rememberedZones(clients, clock);
  return async (_job, _db, signal) => {
    const now = clock().getTime();
    const last = lastMorning(now, earliestZone, remindAt);
    let fault: unknown;
    for (
      let group = await nextGroup(db.query, undefined, last);
      group !== undefined;
      group = await nextGroup(db.query, group, last)
    ) {
      try {
        await tellIfMorning(group, now, signal);
      } catch (error) {
        if (signal.aborted || ConnectError.from(error).code === Code.Unavailable) throw error;
        // What is wrong with one workspace must not silence the others.
        fault ??= error;
      }
    }
    if (fault !== undefined) throw fault;
  };

  async function tellIfMorning(group: ReminderGroup, now: number, signal: AbortSignal): Promise<void> {
    const zone = await zoneOf(group.workspaceId, signal);
    // A workspace that is gone is about to lose its tasks.
    if (zone === undefined) return;
    const today = lastMorning(now, zone, remindAt);
    if (group.day <= today) await tellGroup(group, today, signal);
  }

  async function tellGroup(group: ReminderGroup, today: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const rows = await db.transaction(
        async (tx) => {
          const { rows, told } = await markTold(tx, group, today, atOnce);
          for (const one of told) await askForMail(tx, one);
          await recordChanges(tx, group.workspaceId, clock().getTime(), "", told.map(dueFacts));
          if (told.length > 0) afterCommit(tx, () => events.remindersTold(group.workspaceId, told.length));
          return rows;
        },
        { lock: group.workspaceId },
      );
      if (rows < atOnce) return;
    }
  }
}

function dueFacts({ task, overdue }: Told) {
  return {
    kind: ChangeKind.TASK_DUE,
    taskId: task.id,
    etag: etagOf(task.revision),
    taskDue: {
      overdue,
      dueDate: dateMessage(task.due_date ?? ""),
      ...(task.assignee !== "" && { assignee: assigneeMessage(task.assignee) }),
    },
    ...(task.document_id !== "" && { documentId: task.document_id }),
    ...(task.folder_id !== "" && { folderId: task.folder_id }),
  };
}

interface ReminderMail {
  /** By which the user service knows it again. */
  readonly id: string;
  readonly taskId: string;
  readonly dueDate: string | null;
  readonly overdue: boolean;
}

async function askForMail(tx: Tx, { task, overdue }: Told): Promise<void> {
  if (task.assignee === "") return;
  const payload: ReminderMail = { id: newId(), taskId: task.id, dueDate: task.due_date, overdue };
  await enqueue(tx, { kind: reminderMailJob, payload, maxAttempts: mailAttempts });
}

/** Asks for a mail, unless the task was completed, moved or handed to nobody meanwhile. */
export function mailReminder({ db, clients, membership }: ReminderOptions): JobHandler<Tables> {
  return async (job, _db, signal) => {
    const { id, taskId, dueDate, overdue } = job.payload as ReminderMail;
    const task = await readTask(db.query, taskId);
    if (task === undefined || task.assignee === "" || task.listed === 0) return;
    if (task.status === TaskStatus.COMPLETED || task.due_date === null || task.due_date !== dueDate) return;
    const [kind, assigneeId = ""] = task.assignee.split(":");
    const person = kind === "person";
    const alone = task.document_id === "";
    if (person && !alone && !(await personSees(task, assigneeId, id, signal))) return;
    const request = {
      requestId: id,
      workspaceId: task.workspace_id,
      assignee: { kind: person ? PrincipalKind.PERSON : PrincipalKind.GROUP, id: assigneeId },
      // Not everybody in a group need see the document, and with it the task.
      title: person || alone ? task.title : "",
      dueDate: task.due_date,
      overdue,
      ...(!alone && { documentId: task.document_id }),
    };
    try {
      await clients.notifications.sendTaskReminder(request, { signal });
    } catch (error) {
      // It was taken before, when the title was another one.
      if (reasonOf(error) !== Reason.REQUEST_ID_REUSED) throw error;
    }
  };

  async function personSees(task: TaskRow, id: string, requestId: string, signal: AbortSignal): Promise<boolean> {
    const asker = { kind: "person" as const, id };
    const place = await locateDocument(db.query, task.document_id);
    if (place === undefined) return false;
    const standing = await membership.of(asker, task.workspace_id, { requestId, signal });
    const above = [task.document_id, ...place.folderIds, root];
    const grants = await grantsReaching(db.query, task.workspace_id, above, principalsOf(asker, standing));
    const { folderIds } = place;
    return accessOf(asker, standing, { documentId: task.document_id, folderIds }, grants).level > 0;
  }
}

/** Asks for the time zones of workspaces, each once in a while. Undefined: the workspace is gone. */
function rememberedZones({ memberships }: ReminderOptions["clients"], clock: Clock) {
  const known = new Map<string, { readonly zone: string | undefined; readonly until: number }>();
  return async (workspaceId: string, signal: AbortSignal): Promise<string | undefined> => {
    const now = clock().getTime();
    const before = known.get(workspaceId);
    if (before !== undefined && now < before.until) return before.zone;
    const zone = await memberships.getWorkspaceFacts({ workspaceId }, { signal }).then(
      ({ timeZone, deleteTime }) => (deleteTime === undefined ? timeZone : undefined),
      (error: unknown) => {
        if (reasonOf(error) === Reason.NOT_FOUND) return undefined;
        throw error;
      },
    );
    if (known.size >= mostZones) known.clear();
    known.set(workspaceId, { zone, until: now + zoneMs });
    return zone;
  };
}
