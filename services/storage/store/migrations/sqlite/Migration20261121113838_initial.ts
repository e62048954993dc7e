import { Migration } from "@mikro-orm/migrations";

export class Migration20261121113838_initial extends Migration {
  override up(): void {
    this.addSql(
      "create table `blob` (`id` text not null primary key, `workspace_id` text not null, `sha256` text not null, `size` bigint not null, `created_at` bigint not null, `unreferenced_at` bigint null, `corrupt_at` bigint null)",
    );
    this.addSql("create index `blob_unreferenced_at` on `blob` (`unreferenced_at`)");
    this.addSql("create unique index `blob_content` on `blob` (`workspace_id`, `sha256`, `size`)");
    this.addSql(
      "create table `blob_reference` (`version_id` text not null primary key, `blob_id` text not null, `workspace_id` text not null, `upload_id` text null, `name` text not null, `media_type` text not null, `state` text not null, `created_at` bigint not null)",
    );
    this.addSql("create index `blob_reference_blob` on `blob_reference` (`blob_id`)");
    this.addSql("create index `blob_reference_upload` on `blob_reference` (`upload_id`)");
    this.addSql("create index `blob_reference_state` on `blob_reference` (`state`, `created_at`, `version_id`)");
    this.addSql(
      "create table `change` (`partition` text not null, `sequence` bigint not null, `kind` text not null, `subject_id` text null, `payload` blob not null, `occurred_at` bigint not null, primary key (`partition`, `sequence`))",
    );
    this.addSql("create index `change_partition_subject` on `change` (`partition`, `subject_id`, `sequence`)");
    this.addSql("create index `change_occurred_at` on `change` (`occurred_at`)");
    this.addSql(
      "create table `change_sequence` (`partition` text not null primary key, `n` bigint not null, `trimmed` bigint not null default '0')",
    );
    this.addSql(
      "create table `job` (`id` text not null primary key, `kind` text not null, `unique_key` text null, `payload` text not null, `state` text not null, `run_at` bigint not null, `attempts` integer not null default 0, `max_attempts` integer not null, `lease_until` bigint null, `lease_token` bigint not null default '0', `last_error` text null, `created_at` bigint not null, `finished_at` bigint null)",
    );
    this.addSql("create index `job_due` on `job` (`state`, `run_at`)");
    this.addSql("create index `job_finished` on `job` (`state`, `finished_at`)");
    this.addSql("create unique index `job_kind_key` on `job` (`kind`, `unique_key`)");
    this.addSql(
      "create table `piece` (`id` text not null primary key, `holder_id` text null, `position` bigint not null, `length` bigint not null, `file_bytes` bigint not null, `sums` blob not null, `created_at` bigint not null, `doomed_at` bigint null)",
    );
    this.addSql("create index `piece_holder` on `piece` (`holder_id`, `position`)");
    this.addSql("create index `piece_doomed_at` on `piece` (`doomed_at`)");
    this.addSql(
      "create table `request_record` (`subject` text not null, `method` text not null, `request_id` text not null, `request_hash` text not null, `response` blob not null, `created_at` bigint not null, primary key (`subject`, `method`, `request_id`))",
    );
    this.addSql("create index `request_record_created_at` on `request_record` (`created_at`)");
    this.addSql(
      "create table `ticket_key` (`id` text not null primary key, `secret` blob not null, `created_at` bigint not null)",
    );
    this.addSql(
      "create table `upload` (`id` text not null primary key, `owner` text not null, `workspace_id` text null, `partial` integer not null, `name` text not null, `media_type` text not null, `size` bigint null, `state` text not null, `failure` text null, `open` integer not null, `declared_sha256` text null, `sha256` text null, `ranges` text not null, `part_count` integer not null, `reserved_bytes` bigint not null, `blob_id` text null, `version_id` text null, `concatenated_into` text null, `created_at` bigint not null, `updated_at` bigint not null, `expires_at` bigint null)",
    );
    this.addSql("create index `upload_owner_open` on `upload` (`owner`, `open`, `id`)");
    this.addSql("create index `upload_expires_at` on `upload` (`expires_at`)");
    this.addSql("create index `upload_state` on `upload` (`state`, `updated_at`)");
    this.addSql("create index `upload_workspace_open` on `upload` (`workspace_id`, `open`)");
    this.addSql("create index `upload_blob` on `upload` (`blob_id`)");
    this.addSql(
      "create table `storage_usage` (`holder` text not null primary key, `stored_bytes` bigint not null, `reserved_bytes` bigint not null, `blob_count` bigint not null, `quota_bytes` bigint not null)",
    );
  }

  override down(): void {
    this.addSql("drop table if exists `storage_usage`");
    this.addSql("drop table if exists `upload`");
    this.addSql("drop table if exists `ticket_key`");
    this.addSql("drop table if exists `request_record`");
    this.addSql("drop table if exists `piece`");
    this.addSql("drop table if exists `job`");
    this.addSql("drop table if exists `change_sequence`");
    this.addSql("drop table if exists `change`");
    this.addSql("drop table if exists `blob_reference`");
    this.addSql("drop table if exists `blob`");
  }
}
