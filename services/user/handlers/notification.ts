import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  NotificationService,
  type SendTaskReminderRequest,
  SendTaskReminderResponseSchema,
} from "@docket/contracts/gen/docket/user/v1/notification_service_pb.ts";
import { idempotent } from "@docket/runtime/db/request_record";
import { enqueue } from "@docket/runtime/queue/queue";
import { holderKinds } from "../domain/model.ts";
import { personsIn } from "../store/group_store.ts";
import type { Deps } from "./deps.ts";
import { type TaskReminder, jobs } from "./mailing.ts";
import { holderOf } from "./messages.ts";

/** The one workload that asks; its reminders are known again by their ids. */
const subject = { kind: "workload", id: "document" } as const;

/** What other services tell people by mail. Who gets none is found out when a mail is sent. */
export function notificationHandlers({ db, clock, rules }: Deps): ServiceImpl<typeof NotificationService> {
  return {
    async sendTaskReminder(request) {
      if (!rules.mail) return { mails: 0 };
      const method = NotificationService.method.sendTaskReminder;
      const replay = { subject, method, requestId: request.requestId, request, now: clock };
      return idempotent(db, replay, async (tx) => {
        const holder = holderOf(request.assignee);
        const group = holder.kind === holderKinds.group;
        const userIds = group ? await personsIn(tx, request.workspaceId, holder.id) : [holder.id];
        for (const userId of userIds) {
          await enqueue(tx, { kind: jobs.taskReminder, payload: reminderOf(request, userId) }, clock);
        }
        return create(SendTaskReminderResponseSchema, { mails: userIds.length });
      });
    },
  };
}

function reminderOf(request: SendTaskReminderRequest, userId: string): TaskReminder {
  const { workspaceId, title, dueDate, overdue, documentId } = request;
  return { userId, workspaceId, title, dueDate, overdue, ...(documentId !== undefined && { documentId }) };
}
