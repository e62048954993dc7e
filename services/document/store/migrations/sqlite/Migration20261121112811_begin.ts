import { Migration } from "@mikro-orm/migrations";

export class Migration20261121112811_begin extends Migration {
  override up(): void {
    this.addSql(
      "create table `access_grant` (`workspace_id` text not null, `resource_id` text not null, `principal` text not null, `resource_kind` text not null, `level` integer not null, `created_by` text not null, `updated_at` bigint not null, primary key (`workspace_id`, `resource_id`, `principal`))",
    );
    this.addSql(
      "create index `access_grant_principal` on `access_grant` (`workspace_id`, `principal`, `resource_kind`, `resource_id`)",
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
      "create table `document` (`workspace_id` text not null, `id` text not null, `folder_id` text not null, `title` text not null, `title_key` text not null, `tags` text not null, `state` integer not null, `trashed_with` text null, `trashed_at` bigint null, `revision` bigint not null, `last_number` integer not null, `created_by` text not null, `created_at` bigint not null, `updated_at` bigint not null, primary key (`workspace_id`, `id`))",
    );
    this.addSql(
      "create index `document_folder_title` on `document` (`workspace_id`, `folder_id`, `state`, `title_key`, `id`)",
    );
    this.addSql(
      "create index `document_folder_newest` on `document` (`workspace_id`, `folder_id`, `state`, `updated_at`, `id`)",
    );
    this.addSql("create index `document_title` on `document` (`workspace_id`, `state`, `title_key`, `id`)");
    this.addSql("create index `document_newest` on `document` (`workspace_id`, `state`, `updated_at`, `id`)");
    this.addSql("create index `document_trashed_with` on `document` (`workspace_id`, `trashed_with`)");
    this.addSql("create unique index `document_id` on `document` (`id`)");
    this.addSql(
      "create table `folder` (`workspace_id` text not null, `id` text not null, `parent_id` text not null, `name` text not null, `name_key` text not null, `state` integer not null, `trashed_with` text null, `trashed_at` bigint null, `revision` bigint not null, `created_by` text not null, `created_at` bigint not null, `updated_at` bigint not null, primary key (`workspace_id`, `id`))",
    );
    this.addSql("create index `folder_children` on `folder` (`workspace_id`, `parent_id`, `state`, `name_key`, `id`)");
    this.addSql("create index `folder_by_name` on `folder` (`workspace_id`, `state`, `name_key`, `id`)");
    this.addSql("create index `folder_trashed_with` on `folder` (`workspace_id`, `trashed_with`)");
    this.addSql("create unique index `folder_id` on `folder` (`id`)");
    this.addSql(
      "create table `folder_closure` (`workspace_id` text not null, `descendant_id` text not null, `ancestor_id` text not null, `distance` integer not null, primary key (`workspace_id`, `descendant_id`, `ancestor_id`))",
    );
    this.addSql(
      "create index `folder_closure_below` on `folder_closure` (`workspace_id`, `ancestor_id`, `descendant_id`)",
    );
    this.addSql("create table `follower` (`name` text not null primary key, `position` text not null)");
    this.addSql(
      "create table `job` (`id` text not null primary key, `kind` text not null, `unique_key` text null, `payload` text not null, `state` text not null, `run_at` bigint not null, `attempts` integer not null default 0, `max_attempts` integer not null, `lease_until` bigint null, `lease_token` bigint not null default '0', `last_error` text null, `created_at` bigint not null, `finished_at` bigint null)",
    );
    this.addSql("create index `job_due` on `job` (`state`, `run_at`)");
    this.addSql("create index `job_finished` on `job` (`state`, `finished_at`)");
    this.addSql("create unique index `job_kind_key` on `job` (`kind`, `unique_key`)");
    this.addSql(
      "create table `listing` (`workspace_id` text not null, `list_key` text not null, `document_id` text not null, `state` integer not null, `title_key` text not null, `updated_at` bigint not null, primary key (`workspace_id`, `list_key`, `document_id`))",
    );
    this.addSql(
      "create index `listing_title` on `listing` (`workspace_id`, `list_key`, `state`, `title_key`, `document_id`)",
    );
    this.addSql(
      "create index `listing_newest` on `listing` (`workspace_id`, `list_key`, `state`, `updated_at`, `document_id`)",
    );
    this.addSql("create index `listing_document` on `listing` (`workspace_id`, `document_id`)");
    this.addSql(
      "create table `operation` (`workspace_id` text not null, `id` text not null, `kind` integer not null, `state` integer not null, `target_kind` text not null, `target_id` text not null, `done_count` bigint not null, `total_count` bigint not null, `error` blob null, `created_by` text not null, `created_at` bigint not null, `updated_at` bigint not null, primary key (`workspace_id`, `id`))",
    );
    this.addSql("create index `operation_creator` on `operation` (`workspace_id`, `created_by`, `id`)");
    this.addSql("create index `operation_target` on `operation` (`workspace_id`, `target_id`)");
    this.addSql("create index `operation_ended` on `operation` (`state`, `updated_at`)");
    this.addSql("create unique index `operation_id` on `operation` (`id`)");
    this.addSql(
      "create table `request_record` (`subject` text not null, `method` text not null, `request_id` text not null, `request_hash` text not null, `response` blob not null, `created_at` bigint not null, primary key (`subject`, `method`, `request_id`))",
    );
    this.addSql("create index `request_record_created_at` on `request_record` (`created_at`)");
    this.addSql(
      "create table `term` (`workspace_id` text not null, `term` text not null, `document_id` text not null, primary key (`workspace_id`, `term`, `document_id`))",
    );
    this.addSql("create index `term_document` on `term` (`workspace_id`, `document_id`)");
    this.addSql(
      "create table `version` (`workspace_id` text not null, `document_id` text not null, `number` integer not null, `id` text not null, `label` text not null, `note` text not null, `blob_id` text not null, `digest` blob not null, `size` bigint not null, `media_type` text not null, `file_name` text not null, `upload_id` text null, `restored_from` integer null, `revision` bigint not null, `created_by` text not null, `created_at` bigint not null, primary key (`workspace_id`, `document_id`, `number`))",
    );
    this.addSql("create unique index `version_id` on `version` (`id`)");
    this.addSql("create unique index `version_upload` on `version` (`upload_id`)");
  }

  override down(): void {
    this.addSql("drop table if exists `version`");
    this.addSql("drop table if exists `term`");
    this.addSql("drop table if exists `request_record`");
    this.addSql("drop table if exists `operation`");
    this.addSql("drop table if exists `listing`");
    this.addSql("drop table if exists `job`");
    this.addSql("drop table if exists `follower`");
    this.addSql("drop table if exists `folder_closure`");
    this.addSql("drop table if exists `folder`");
    this.addSql("drop table if exists `document`");
    this.addSql("drop table if exists `change_sequence`");
    this.addSql("drop table if exists `change`");
    this.addSql("drop table if exists `access_grant`");
  }
}
