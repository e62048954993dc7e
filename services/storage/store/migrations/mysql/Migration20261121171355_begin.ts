import { Migration } from "@mikro-orm/migrations";

export class Migration20261121171355_begin extends Migration {
  override up(): void {
    this.addSql(
      "create table `blob` (`id` varchar(36) not null, `workspace_id` varchar(36) not null, `sha256` varchar(64) not null, `size` bigint not null, `created_at` bigint not null, `unreferenced_at` bigint null, `corrupt_at` bigint null, `checked_at` bigint null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `blob` add index `blob_unreferenced_at` (`unreferenced_at`)");
    this.addSql("alter table `blob` add index `blob_checked_at` (`checked_at`, `created_at`)");
    this.addSql("alter table `blob` add unique `blob_content` (`workspace_id`, `sha256`, `size`)");
    this.addSql(
      "create table `blob_reference` (`version_id` varchar(36) not null, `blob_id` varchar(36) not null, `workspace_id` varchar(36) not null, `upload_id` varchar(36) null, `name` varchar(255) not null, `media_type` varchar(255) not null, `state` varchar(10) not null, `created_at` bigint not null, primary key (`version_id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `blob_reference` add index `blob_reference_blob` (`blob_id`)");
    this.addSql("alter table `blob_reference` add index `blob_reference_upload` (`upload_id`)");
    this.addSql("alter table `blob_reference` add index `blob_reference_state` (`state`, `created_at`, `version_id`)");
    this.addSql(
      "create table `change` (`partition` varchar(36) not null, `sequence` bigint unsigned not null, `kind` varchar(64) not null, `subject_id` varchar(36) null, `payload` mediumblob not null, `occurred_at` bigint not null, primary key (`partition`, `sequence`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `change` add index `change_partition_subject` (`partition`, `subject_id`, `sequence`)");
    this.addSql("alter table `change` add index `change_occurred_at` (`occurred_at`)");
    this.addSql(
      "create table `change_sequence` (`partition` varchar(36) not null, `n` bigint not null, `trimmed` bigint not null default 0, primary key (`partition`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql(
      "create table `job` (`id` varchar(36) not null, `kind` varchar(64) not null, `unique_key` varchar(200) null, `payload` mediumtext not null, `state` varchar(8) not null, `run_at` bigint not null, `attempts` int not null default 0, `max_attempts` int not null, `lease_until` bigint null, `lease_token` bigint not null default 0, `last_error` varchar(1000) null, `created_at` bigint not null, `finished_at` bigint null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `job` add index `job_due` (`state`, `run_at`)");
    this.addSql("alter table `job` add index `job_finished` (`state`, `finished_at`)");
    this.addSql("alter table `job` add unique `job_kind_key` (`kind`, `unique_key`)");
    this.addSql(
      "create table `piece` (`id` varchar(36) not null, `holder_id` varchar(36) null, `position` bigint not null, `length` bigint not null, `file_bytes` bigint not null, `sums` mediumblob not null, `created_at` bigint not null, `doomed_at` bigint null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `piece` add index `piece_holder` (`holder_id`, `position`)");
    this.addSql("alter table `piece` add index `piece_doomed_at` (`doomed_at`)");
    this.addSql(
      "create table `request_record` (`subject` varchar(80) not null, `method` varchar(160) not null, `request_id` varchar(36) not null, `request_hash` varchar(64) not null, `response` mediumblob not null, `created_at` bigint not null, primary key (`subject`, `method`, `request_id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `request_record` add index `request_record_created_at` (`created_at`)");
    this.addSql(
      "create table `ticket_key` (`id` varchar(36) not null, `secret` mediumblob not null, `created_at` bigint not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql(
      "create table `upload` (`id` varchar(36) not null, `owner` varchar(50) not null, `workspace_id` varchar(36) null, `partial` smallint not null, `name` varchar(255) not null, `media_type` varchar(255) not null, `size` bigint null, `state` varchar(16) not null, `failure` varchar(20) null, `open` smallint not null, `declared_sha256` varchar(64) null, `sha256` varchar(64) null, `ranges` mediumtext not null, `part_count` int not null, `reserved_bytes` bigint not null, `blob_id` varchar(36) null, `version_id` varchar(36) null, `concatenated_into` varchar(36) null, `created_at` bigint not null, `updated_at` bigint not null, `expires_at` bigint null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `upload` add index `upload_owner_open` (`owner`, `open`, `id`)");
    this.addSql("alter table `upload` add index `upload_expires_at` (`expires_at`)");
    this.addSql("alter table `upload` add index `upload_state` (`state`, `updated_at`)");
    this.addSql("alter table `upload` add index `upload_workspace_open` (`workspace_id`, `open`)");
    this.addSql("alter table `upload` add index `upload_blob` (`blob_id`)");
    this.addSql(
      "create table `storage_usage` (`holder` varchar(50) not null, `stored_bytes` bigint not null, `reserved_bytes` bigint not null, `blob_count` bigint not null, `quota_bytes` bigint not null, `max_file_bytes` bigint null, primary key (`holder`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
  }

  override down(): void {
    this.addSql("drop table if exists `blob`");
    this.addSql("drop table if exists `blob_reference`");
    this.addSql("drop table if exists `change`");
    this.addSql("drop table if exists `change_sequence`");
    this.addSql("drop table if exists `job`");
    this.addSql("drop table if exists `piece`");
    this.addSql("drop table if exists `request_record`");
    this.addSql("drop table if exists `ticket_key`");
    this.addSql("drop table if exists `upload`");
    this.addSql("drop table if exists `storage_usage`");
  }
}
