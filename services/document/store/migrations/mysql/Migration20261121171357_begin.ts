import { Migration } from "@mikro-orm/migrations";

export class Migration20261121171357_begin extends Migration {
  override up(): void {
    this.addSql(
      "create table `access_grant` (`workspace_id` varchar(36) not null, `resource_id` varchar(36) not null, `principal` varchar(50) not null, `resource_kind` varchar(10) not null, `level` smallint not null, `created_by` varchar(50) not null, `updated_at` bigint not null, primary key (`workspace_id`, `resource_id`, `principal`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql(
      "alter table `access_grant` add index `access_grant_principal` (`workspace_id`, `principal`, `resource_kind`, `resource_id`)",
    );
    this.addSql(
      "create table `archive` (`workspace_id` varchar(36) not null, `id` varchar(36) not null, `name` varchar(100) not null, `document_ids` mediumtext not null, `folder_ids` mediumtext not null, `created_by` varchar(50) not null, `created_at` bigint not null, `expires_at` bigint not null, primary key (`workspace_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `archive` add index `archive_expires_at` (`expires_at`)");
    this.addSql("alter table `archive` add unique `archive_id` (`id`)");
    this.addSql(
      "create table `change` (`partition` varchar(36) not null, `sequence` bigint unsigned not null, `kind` varchar(64) not null, `subject_id` varchar(36) null, `payload` mediumblob not null, `occurred_at` bigint not null, primary key (`partition`, `sequence`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `change` add index `change_partition_subject` (`partition`, `subject_id`, `sequence`)");
    this.addSql("alter table `change` add index `change_occurred_at` (`occurred_at`)");
    this.addSql(
      "create table `change_sequence` (`partition` varchar(36) not null, `n` bigint not null, `trimmed` bigint not null default 0, primary key (`partition`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql(
      "create table `comment` (`workspace_id` varchar(36) not null, `id` varchar(36) not null, `subject` varchar(50) not null, `document_id` varchar(36) not null, `version_number` int null, `body` mediumtext not null, `revision` bigint not null, `created_by` varchar(50) not null, `created_at` bigint not null, `updated_at` bigint null, primary key (`workspace_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `comment` add index `comment_subject` (`workspace_id`, `subject`, `id`)");
    this.addSql("alter table `comment` add index `comment_document` (`workspace_id`, `document_id`)");
    this.addSql("alter table `comment` add unique `comment_id` (`id`)");
    this.addSql(
      "create table `document` (`workspace_id` varchar(36) not null, `id` varchar(36) not null, `folder_id` varchar(36) not null, `title` varchar(255) not null, `title_key` varchar(255) not null, `tags` mediumtext not null, `state` smallint not null, `trashed_with` varchar(36) null, `trashed_at` bigint null, `revision` bigint not null, `last_number` int not null, `size` bigint not null default 0, `kind` smallint not null default 0, `created_by` varchar(50) not null, `created_at` bigint not null, `updated_at` bigint not null, primary key (`workspace_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql(
      "alter table `document` add index `document_folder_title` (`workspace_id`, `folder_id`, `state`, `title_key`, `id`)",
    );
    this.addSql(
      "alter table `document` add index `document_folder_newest` (`workspace_id`, `folder_id`, `state`, `updated_at`, `id`)",
    );
    this.addSql("alter table `document` add index `document_title` (`workspace_id`, `state`, `title_key`, `id`)");
    this.addSql("alter table `document` add index `document_newest` (`workspace_id`, `state`, `updated_at`, `id`)");
    this.addSql(
      "alter table `document` add index `document_folder_size` (`workspace_id`, `folder_id`, `state`, `size`, `id`)",
    );
    this.addSql("alter table `document` add index `document_size` (`workspace_id`, `state`, `size`, `id`)");
    this.addSql(
      "alter table `document` add index `document_folder_kind_title` (`workspace_id`, `folder_id`, `state`, `kind`, `title_key`, `id`)",
    );
    this.addSql(
      "alter table `document` add index `document_folder_kind_newest` (`workspace_id`, `folder_id`, `state`, `kind`, `updated_at`, `id`)",
    );
    this.addSql(
      "alter table `document` add index `document_folder_kind_size` (`workspace_id`, `folder_id`, `state`, `kind`, `size`, `id`)",
    );
    this.addSql(
      "alter table `document` add index `document_kind_title` (`workspace_id`, `state`, `kind`, `title_key`, `id`)",
    );
    this.addSql(
      "alter table `document` add index `document_kind_newest` (`workspace_id`, `state`, `kind`, `updated_at`, `id`)",
    );
    this.addSql(
      "alter table `document` add index `document_kind_size` (`workspace_id`, `state`, `kind`, `size`, `id`)",
    );
    this.addSql("alter table `document` add index `document_trashed_with` (`workspace_id`, `trashed_with`)");
    this.addSql("alter table `document` add index `document_trashed_at` (`state`, `trashed_at`, `id`)");
    this.addSql("alter table `document` add unique `document_id` (`id`)");
    this.addSql(
      "create table `folder` (`workspace_id` varchar(36) not null, `id` varchar(36) not null, `parent_id` varchar(36) not null, `name` varchar(255) not null, `name_key` varchar(255) not null, `state` smallint not null, `trashed_with` varchar(36) null, `trashed_at` bigint null, `revision` bigint not null, `created_by` varchar(50) not null, `created_at` bigint not null, `updated_at` bigint not null, primary key (`workspace_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql(
      "alter table `folder` add index `folder_children` (`workspace_id`, `parent_id`, `state`, `name_key`, `id`)",
    );
    this.addSql("alter table `folder` add index `folder_by_name` (`workspace_id`, `state`, `name_key`, `id`)");
    this.addSql("alter table `folder` add index `folder_trashed_with` (`workspace_id`, `trashed_with`)");
    this.addSql("alter table `folder` add index `folder_trashed_at` (`state`, `trashed_at`, `id`)");
    this.addSql("alter table `folder` add unique `folder_id` (`id`)");
    this.addSql(
      "create table `folder_closure` (`workspace_id` varchar(36) not null, `descendant_id` varchar(36) not null, `ancestor_id` varchar(36) not null, `distance` smallint not null, primary key (`workspace_id`, `descendant_id`, `ancestor_id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql(
      "alter table `folder_closure` add index `folder_closure_below` (`workspace_id`, `ancestor_id`, `descendant_id`)",
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
      "create table `listing` (`workspace_id` varchar(36) not null, `list_key` varchar(300) not null, `document_id` varchar(36) not null, `state` smallint not null, `title_key` varchar(255) not null, `updated_at` bigint not null, `size` bigint not null default 0, `kind` smallint not null default 0, primary key (`workspace_id`, `list_key`, `document_id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql(
      "alter table `listing` add index `listing_title` (`workspace_id`, `list_key`, `state`, `title_key`, `document_id`)",
    );
    this.addSql(
      "alter table `listing` add index `listing_newest` (`workspace_id`, `list_key`, `state`, `updated_at`, `document_id`)",
    );
    this.addSql(
      "alter table `listing` add index `listing_size` (`workspace_id`, `list_key`, `state`, `size`, `document_id`)",
    );
    this.addSql(
      "alter table `listing` add index `listing_kind_title` (`workspace_id`, `list_key`, `state`, `kind`, `title_key`, `document_id`)",
    );
    this.addSql(
      "alter table `listing` add index `listing_kind_newest` (`workspace_id`, `list_key`, `state`, `kind`, `updated_at`, `document_id`)",
    );
    this.addSql(
      "alter table `listing` add index `listing_kind_size` (`workspace_id`, `list_key`, `state`, `kind`, `size`, `document_id`)",
    );
    this.addSql(
      "alter table `listing` add index `listing_document` (`workspace_id`, `document_id`, `state`, `list_key`)",
    );
    this.addSql(
      "create table `operation` (`workspace_id` varchar(36) not null, `id` varchar(36) not null, `kind` smallint not null, `state` smallint not null, `target_kind` varchar(10) not null, `target_id` varchar(36) not null, `done_count` bigint not null, `total_count` bigint not null, `error` mediumblob null, `created_by` varchar(50) not null, `created_at` bigint not null, `updated_at` bigint not null, primary key (`workspace_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `operation` add index `operation_creator` (`workspace_id`, `created_by`, `id`)");
    this.addSql("alter table `operation` add index `operation_target` (`workspace_id`, `target_id`)");
    this.addSql("alter table `operation` add index `operation_ended` (`state`, `updated_at`)");
    this.addSql("alter table `operation` add unique `operation_id` (`id`)");
    this.addSql(
      "create table `request_record` (`subject` varchar(80) not null, `method` varchar(160) not null, `request_id` varchar(36) not null, `request_hash` varchar(64) not null, `response` mediumblob not null, `created_at` bigint not null, primary key (`subject`, `method`, `request_id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `request_record` add index `request_record_created_at` (`created_at`)");
    this.addSql(
      "create table `subscription` (`workspace_id` varchar(36) not null, `id` varchar(36) not null, `name` varchar(100) not null, `filter` mediumblob not null, `shard_count` int not null, `created_by` varchar(50) not null, `created_at` bigint not null, primary key (`workspace_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `subscription` add index `subscription_creator` (`workspace_id`, `created_by`, `name`)");
    this.addSql("alter table `subscription` add unique `subscription_id` (`id`)");
    this.addSql("alter table `subscription` add unique `subscription_name` (`workspace_id`, `name`)");
    this.addSql(
      "create table `subscription_shard` (`workspace_id` varchar(36) not null, `subscription_id` varchar(36) not null, `shard` smallint unsigned not null, `acknowledged` bigint not null, `acknowledged_at` bigint null, primary key (`workspace_id`, `subscription_id`, `shard`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql(
      "create table `tag` (`workspace_id` varchar(36) not null, `tag_key` varchar(255) not null, `name` varchar(50) not null, `document_count` bigint not null, primary key (`workspace_id`, `tag_key`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql(
      "create table `task` (`workspace_id` varchar(36) not null, `id` varchar(36) not null, `document_id` varchar(36) not null, `folder_id` varchar(36) not null, `listed` smallint not null, `version_id` varchar(36) null, `version_number` int null, `digest` mediumblob null, `stale` smallint not null, `title` varchar(255) not null, `description` mediumtext not null, `kind` smallint not null, `priority` smallint not null, `status` smallint not null, `on_new_version` smallint not null, `assignee` varchar(50) not null, `due_date` varchar(10) null, `reminded` smallint not null default 0, `reminder_day` varchar(10) null, `completion` mediumtext null, `last_completion` mediumtext null, `revision` bigint not null, `created_by` varchar(50) not null, `created_at` bigint not null, `updated_at` bigint not null, primary key (`workspace_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `task` add index `task_listed` (`workspace_id`, `listed`, `status`, `id`)");
    this.addSql("alter table `task` add index `task_folder` (`workspace_id`, `folder_id`, `listed`, `status`, `id`)");
    this.addSql("alter table `task` add index `task_document` (`workspace_id`, `document_id`, `status`, `id`)");
    this.addSql("alter table `task` add index `task_reminder` (`listed`, `reminder_day`, `workspace_id`, `id`)");
    this.addSql("alter table `task` add index `task_assignee` (`workspace_id`, `assignee`, `listed`, `status`, `id`)");
    this.addSql("alter table `task` add unique `task_id` (`id`)");
    this.addSql(
      "create table `term` (`workspace_id` varchar(36) not null, `term` varchar(40) not null, `document_id` varchar(36) not null, primary key (`workspace_id`, `term`, `document_id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `term` add index `term_document` (`workspace_id`, `document_id`)");
    this.addSql(
      "create table `version` (`workspace_id` varchar(36) not null, `document_id` varchar(36) not null, `number` int unsigned not null, `id` varchar(36) not null, `label` varchar(64) not null, `note` mediumtext not null, `blob_id` varchar(128) not null, `digest` mediumblob not null, `size` bigint not null, `media_type` varchar(255) not null, `file_name` varchar(255) not null, `upload_id` varchar(36) null, `restored_from` int null, `revision` bigint not null, `created_by` varchar(50) not null, `created_at` bigint not null, primary key (`workspace_id`, `document_id`, `number`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `version` add unique `version_id` (`id`)");
    this.addSql("alter table `version` add unique `version_upload` (`upload_id`)");
  }

  override down(): void {
    this.addSql("drop table if exists `access_grant`");
    this.addSql("drop table if exists `archive`");
    this.addSql("drop table if exists `change`");
    this.addSql("drop table if exists `change_sequence`");
    this.addSql("drop table if exists `comment`");
    this.addSql("drop table if exists `document`");
    this.addSql("drop table if exists `folder`");
    this.addSql("drop table if exists `folder_closure`");
    this.addSql("drop table if exists `follower`");
    this.addSql("drop table if exists `job`");
    this.addSql("drop table if exists `listing`");
    this.addSql("drop table if exists `operation`");
    this.addSql("drop table if exists `request_record`");
    this.addSql("drop table if exists `subscription`");
    this.addSql("drop table if exists `subscription_shard`");
    this.addSql("drop table if exists `tag`");
    this.addSql("drop table if exists `task`");
    this.addSql("drop table if exists `term`");
    this.addSql("drop table if exists `version`");
  }
}
