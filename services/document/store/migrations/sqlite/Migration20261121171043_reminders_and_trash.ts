import { Migration } from "@mikro-orm/migrations";

export class Migration20261121171043_reminders_and_trash extends Migration {
  override up(): void {
    this.addSql("create index `document_trashed_at` on `document` (`state`, `trashed_at`, `id`)");
    this.addSql("create index `folder_trashed_at` on `folder` (`state`, `trashed_at`, `id`)");
    this.addSql("alter table `task` add column `reminded` integer not null default 0");
    this.addSql("alter table `task` add column `reminder_day` text null");
    // What was due before reminders existed is not told of now.
    this.addSql("update `task` set `reminded` = 2 where `due_date` < date('now')");
    this.addSql("update `task` set `reminder_day` = `due_date` where `due_date` >= date('now') and `status` <> 3");
    this.addSql("create index `task_reminder` on `task` (`listed`, `reminder_day`, `workspace_id`, `id`)");
  }
  override down(): void {
    this.addSql("drop index `task_reminder`");
    this.addSql("alter table `task` drop column `reminder_day`");
    this.addSql("alter table `task` drop column `reminded`");
    this.addSql("drop index `folder_trashed_at`");
    this.addSql("drop index `document_trashed_at`");
  }
}
