import { Migration } from "@mikro-orm/migrations";

export class Migration20261121172431_begin extends Migration {
  override up(): void {
    this.addSql(
      "create table `attempt` (`webhook_id` text not null, `delivery_id` text not null, `id` text not null, `at` bigint not null, `ms` integer not null, `status` integer not null, `failure` text null, `answer` text not null, primary key (`webhook_id`, `delivery_id`, `id`))",
    );
    this.addSql(
      "create table `change` (`partition` text not null, `sequence` bigint not null, `kind` text not null, `subject_id` text null, `payload` blob not null, `occurred_at` bigint not null, primary key (`partition`, `sequence`))",
    );
    this.addSql("create index `change_partition_subject` on `change` (`partition`, `subject_id`, `sequence`)");
    this.addSql("create index `change_occurred_at` on `change` (`occurred_at`)");
    this.addSql(
      "create table `change_sequence` (`partition` text not null primary key, `n` bigint not null, `trimmed` bigint not null default '0')",
    );
    this.addSql(
      "create table `delivery` (`webhook_id` text not null, `id` text not null, `message_id` text not null, `state` text not null, `attempts` integer not null default 0, `created_at` bigint not null, `retry_until` bigint not null, `due_at` bigint not null, primary key (`webhook_id`, `id`))",
    );
    this.addSql("create index `delivery_due` on `delivery` (`webhook_id`, `state`, `due_at`)");
    this.addSql("create index `delivery_listed` on `delivery` (`webhook_id`, `created_at`, `id`)");
    this.addSql("create index `delivery_waiting` on `delivery` (`state`, `due_at`)");
    this.addSql("create index `delivery_message` on `delivery` (`message_id`)");
    this.addSql("create table `feed` (`workspace_id` text not null primary key, `place` bigint not null)");
    this.addSql("create table `follower` (`name` text not null primary key, `position` text not null)");
    this.addSql(
      "create table `job` (`id` text not null primary key, `kind` text not null, `unique_key` text null, `payload` text not null, `state` text not null, `run_at` bigint not null, `attempts` integer not null default 0, `max_attempts` integer not null, `lease_until` bigint null, `lease_token` bigint not null default '0', `last_error` text null, `created_at` bigint not null, `finished_at` bigint null)",
    );
    this.addSql("create index `job_due` on `job` (`state`, `run_at`)");
    this.addSql("create index `job_finished` on `job` (`state`, `finished_at`)");
    this.addSql("create unique index `job_kind_key` on `job` (`kind`, `unique_key`)");
    this.addSql(
      "create table `message` (`id` text not null primary key, `workspace_id` text not null, `kind` integer not null, `sequence` bigint not null, `body` text not null, `created_at` bigint not null)",
    );
    this.addSql("create index `message_created_at` on `message` (`created_at`)");
    this.addSql("create index `message_workspace` on `message` (`workspace_id`)");
    this.addSql(
      "create table `request_record` (`subject` text not null, `method` text not null, `request_id` text not null, `request_hash` text not null, `response` blob not null, `created_at` bigint not null, primary key (`subject`, `method`, `request_id`))",
    );
    this.addSql("create index `request_record_created_at` on `request_record` (`created_at`)");
    this.addSql(
      "create table `webhook` (`id` text not null primary key, `workspace_id` text not null, `name` text not null, `url` text not null, `filter` blob not null, `state` text not null, `disabled_reason` text null, `since` bigint not null, `created_by` text not null, `created_at` bigint not null, `updated_at` bigint not null, `succeeded_at` bigint null, `failing_since` bigint null, `missed_at` bigint null, `failed_rounds` integer not null default 0, `blocked_until` bigint null, `version` integer not null default 1)",
    );
    this.addSql("create index `webhook_workspace` on `webhook` (`workspace_id`, `id`)");
    this.addSql(
      "create table `webhook_secret` (`webhook_id` text not null, `id` text not null, `sealed` blob not null, `created_at` bigint not null, `expires_at` bigint null, primary key (`webhook_id`, `id`))",
    );
  }

  override down(): void {
    this.addSql("drop table if exists `attempt`");
    this.addSql("drop table if exists `change`");
    this.addSql("drop table if exists `change_sequence`");
    this.addSql("drop table if exists `delivery`");
    this.addSql("drop table if exists `feed`");
    this.addSql("drop table if exists `follower`");
    this.addSql("drop table if exists `job`");
    this.addSql("drop table if exists `message`");
    this.addSql("drop table if exists `request_record`");
    this.addSql("drop table if exists `webhook`");
    this.addSql("drop table if exists `webhook_secret`");
  }
}
