import { Migration } from "@mikro-orm/migrations";

export class Migration20261121113138_tasks extends Migration {
  override up(): void {
    this.addSql(
      "create table `comment` (`workspace_id` text not null, `id` text not null, `subject` text not null, `document_id` text not null, `version_number` integer null, `body` text not null, `revision` bigint not null, `created_by` text not null, `created_at` bigint not null, `updated_at` bigint null, primary key (`workspace_id`, `id`))",
    );
    this.addSql("create index `comment_subject` on `comment` (`workspace_id`, `subject`, `id`)");
    this.addSql("create index `comment_document` on `comment` (`workspace_id`, `document_id`)");
    this.addSql("create unique index `comment_id` on `comment` (`id`)");
    this.addSql(
      "create table `subscription` (`workspace_id` text not null, `id` text not null, `name` text not null, `filter` blob not null, `shard_count` integer not null, `created_by` text not null, `created_at` bigint not null, primary key (`workspace_id`, `id`))",
    );
    this.addSql("create index `subscription_creator` on `subscription` (`workspace_id`, `created_by`, `name`)");
    this.addSql("create unique index `subscription_id` on `subscription` (`id`)");
    this.addSql("create unique index `subscription_name` on `subscription` (`workspace_id`, `name`)");
    this.addSql(
      "create table `subscription_shard` (`workspace_id` text not null, `subscription_id` text not null, `shard` integer not null, `acknowledged` bigint not null, `acknowledged_at` bigint null, primary key (`workspace_id`, `subscription_id`, `shard`))",
    );
    this.addSql(
      "create table `task` (`workspace_id` text not null, `id` text not null, `document_id` text not null, `folder_id` text not null, `listed` integer not null, `version_id` text null, `version_number` integer null, `digest` blob null, `stale` integer not null, `title` text not null, `description` text not null, `kind` integer not null, `priority` integer not null, `status` integer not null, `on_new_version` integer not null, `assignee` text not null, `due_date` text null, `completion` text null, `last_completion` text null, `revision` bigint not null, `created_by` text not null, `created_at` bigint not null, `updated_at` bigint not null, primary key (`workspace_id`, `id`))",
    );
    this.addSql("create index `task_listed` on `task` (`workspace_id`, `listed`, `status`, `id`)");
    this.addSql("create index `task_folder` on `task` (`workspace_id`, `folder_id`, `listed`, `status`, `id`)");
    this.addSql("create index `task_document` on `task` (`workspace_id`, `document_id`, `status`, `id`)");
    this.addSql("create index `task_assignee` on `task` (`workspace_id`, `assignee`, `listed`, `status`, `id`)");
    this.addSql("create unique index `task_id` on `task` (`id`)");
  }

  override down(): void {
    this.addSql("drop table if exists `task`");
    this.addSql("drop table if exists `subscription_shard`");
    this.addSql("drop table if exists `subscription`");
    this.addSql("drop table if exists `comment`");
  }
}
