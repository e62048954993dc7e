import { Migration } from "@mikro-orm/migrations";

export class Migration20261121172431_begin extends Migration {
  override up(): void {
    this.addSql(
      "create table `attempt` (`webhook_id` varchar(36) not null, `delivery_id` varchar(36) not null, `id` varchar(36) not null, `at` bigint not null, `ms` int not null, `status` int not null, `failure` varchar(10) null, `answer` varchar(1024) not null, primary key (`webhook_id`, `delivery_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql(
      "create table `change` (`partition` varchar(36) not null, `sequence` bigint unsigned not null, `kind` varchar(64) not null, `subject_id` varchar(36) null, `payload` mediumblob not null, `occurred_at` bigint not null, primary key (`partition`, `sequence`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `change` add index `change_partition_subject` (`partition`, `subject_id`, `sequence`)");
    this.addSql("alter table `change` add index `change_occurred_at` (`occurred_at`)");
    this.addSql(
      "create table `change_sequence` (`partition` varchar(36) not null, `n` bigint not null, `trimmed` bigint not null default 0, primary key (`partition`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql(
      "create table `delivery` (`webhook_id` varchar(36) not null, `id` varchar(36) not null, `message_id` varchar(36) not null, `state` varchar(9) not null, `attempts` int not null default 0, `created_at` bigint not null, `retry_until` bigint not null, `due_at` bigint not null, primary key (`webhook_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `delivery` add index `delivery_due` (`webhook_id`, `state`, `due_at`)");
    this.addSql("alter table `delivery` add index `delivery_listed` (`webhook_id`, `created_at`, `id`)");
    this.addSql("alter table `delivery` add index `delivery_waiting` (`state`, `due_at`)");
    this.addSql("alter table `delivery` add index `delivery_message` (`message_id`)");
    this.addSql(
      "create table `feed` (`workspace_id` varchar(36) not null, `place` bigint not null, primary key (`workspace_id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql(
      "create table `follower` (`name` varchar(40) not null, `position` varchar(64) not null, primary key (`name`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql(
      "create table `job` (`id` varchar(36) not null, `kind` varchar(64) not null, `unique_key` varchar(200) null, `payload` mediumtext not null, `state` varchar(8) not null, `run_at` bigint not null, `attempts` int not null default 0, `max_attempts` int not null, `lease_until` bigint null, `lease_token` bigint not null default 0, `last_error` varchar(1000) null, `created_at` bigint not null, `finished_at` bigint null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `job` add index `job_due` (`state`, `run_at`)");
    this.addSql("alter table `job` add index `job_finished` (`state`, `finished_at`)");
    this.addSql("alter table `job` add unique `job_kind_key` (`kind`, `unique_key`)");
    this.addSql(
      "create table `message` (`id` varchar(36) not null, `workspace_id` varchar(36) not null, `kind` int not null, `sequence` bigint not null, `body` mediumtext not null, `created_at` bigint not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `message` add index `message_created_at` (`created_at`)");
    this.addSql("alter table `message` add index `message_workspace` (`workspace_id`)");
    this.addSql(
      "create table `request_record` (`subject` varchar(80) not null, `method` varchar(160) not null, `request_id` varchar(36) not null, `request_hash` varchar(64) not null, `response` mediumblob not null, `created_at` bigint not null, primary key (`subject`, `method`, `request_id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `request_record` add index `request_record_created_at` (`created_at`)");
    this.addSql(
      "create table `webhook` (`id` varchar(36) not null, `workspace_id` varchar(36) not null, `name` varchar(100) not null, `url` varchar(2000) not null, `filter` mediumblob not null, `state` varchar(8) not null, `disabled_reason` varchar(8) null, `since` bigint not null, `created_by` varchar(50) not null, `created_at` bigint not null, `updated_at` bigint not null, `succeeded_at` bigint null, `failing_since` bigint null, `missed_at` bigint null, `failed_rounds` int not null default 0, `blocked_until` bigint null, `version` int not null default 1, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `webhook` add index `webhook_workspace` (`workspace_id`, `id`)");
    this.addSql(
      "create table `webhook_secret` (`webhook_id` varchar(36) not null, `id` varchar(36) not null, `sealed` mediumblob not null, `created_at` bigint not null, `expires_at` bigint null, primary key (`webhook_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
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
