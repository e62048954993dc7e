import { Migration } from "@mikro-orm/migrations";

export class Migration20261121171353_begin extends Migration {
  override up(): void {
    this.addSql(
      "create table `account` (`id` varchar(36) not null, `email` varchar(254) not null, `display_name` varchar(255) not null, `name_key` varchar(255) not null, `locale` varchar(35) not null, `time_zone` varchar(64) not null, `password_hash` varchar(255) not null, `administrator` smallint not null, `created_at` bigint not null, `disabled_at` bigint null, `reset_requested_at` bigint null, `version` bigint not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `account` add index `account_name` (`name_key`, `id`)");
    this.addSql("alter table `account` add unique `account_email` (`email`)");
    this.addSql(
      "create table `api_key` (`id` varchar(36) not null, `workspace_id` varchar(36) not null, `application_id` varchar(36) not null, `name` varchar(255) not null, `scopes` mediumtext not null, `created_at` bigint not null, `expires_at` bigint null, `last_used_at` bigint null, `revoked_at` bigint null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `api_key` add index `api_key_application` (`workspace_id`, `application_id`, `id`)");
    this.addSql(
      "create table `api_key_secret` (`key_id` varchar(36) not null, `id` varchar(36) not null, `secret_hash` varchar(64) not null, `ending` varchar(4) not null, `created_at` bigint not null, primary key (`key_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql(
      "create table `application` (`workspace_id` varchar(36) not null, `id` varchar(36) not null, `name` varchar(255) not null, `name_key` varchar(255) not null, `description` varchar(1000) not null, `created_by` varchar(36) not null, `owner_id` varchar(36) not null, `created_at` bigint not null, `version` bigint not null, primary key (`workspace_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `application` add index `application_owner` (`owner_id`)");
    this.addSql("alter table `application` add unique `application_name` (`workspace_id`, `name_key`)");
    this.addSql(
      "create table `change` (`partition` varchar(36) not null, `sequence` bigint unsigned not null, `kind` varchar(64) not null, `subject_id` varchar(36) null, `payload` mediumblob not null, `occurred_at` bigint not null, primary key (`partition`, `sequence`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `change` add index `change_partition_subject` (`partition`, `subject_id`, `sequence`)");
    this.addSql("alter table `change` add index `change_occurred_at` (`occurred_at`)");
    this.addSql(
      "create table `change_sequence` (`partition` varchar(36) not null, `n` bigint not null, `trimmed` bigint not null default 0, primary key (`partition`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql(
      "create table `former_principal` (`workspace_id` varchar(36) not null, `principal_id` varchar(36) not null, `kind` int not null, `name` varchar(255) not null, primary key (`workspace_id`, `principal_id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql(
      "create table `group_member` (`workspace_id` varchar(36) not null, `group_id` varchar(36) not null, `kind` int unsigned not null, `principal_id` varchar(36) not null, `added_at` bigint not null, primary key (`workspace_id`, `group_id`, `kind`, `principal_id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql(
      "alter table `group_member` add index `group_member_principal` (`workspace_id`, `kind`, `principal_id`)",
    );
    this.addSql(
      "create table `instance` (`id` int unsigned not null auto_increment primary key, `writes` bigint not null) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql(
      "create table `invitation` (`workspace_id` varchar(36) not null, `id` varchar(36) not null, `email` varchar(254) not null, `role_id` varchar(36) not null, `secret_hash` varchar(64) not null, `created_by` varchar(36) not null, `created_at` bigint not null, `expires_at` bigint not null, `accepted_by` varchar(36) null, `accepted_at` bigint null, `revoked_at` bigint null, primary key (`workspace_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `invitation` add unique `invitation_secret` (`secret_hash`)");
    this.addSql(
      "create table `job` (`id` varchar(36) not null, `kind` varchar(64) not null, `unique_key` varchar(200) null, `payload` mediumtext not null, `state` varchar(8) not null, `run_at` bigint not null, `attempts` int not null default 0, `max_attempts` int not null, `lease_until` bigint null, `lease_token` bigint not null default 0, `last_error` varchar(1000) null, `created_at` bigint not null, `finished_at` bigint null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `job` add index `job_due` (`state`, `run_at`)");
    this.addSql("alter table `job` add index `job_finished` (`state`, `finished_at`)");
    this.addSql("alter table `job` add unique `job_kind_key` (`kind`, `unique_key`)");
    this.addSql(
      "create table `known_source` (`user_id` varchar(36) not null, `source_hash` varchar(64) not null, `last_at` bigint not null, primary key (`user_id`, `source_hash`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `known_source` add index `known_source_last` (`last_at`)");
    this.addSql(
      "create table `member` (`workspace_id` varchar(36) not null, `user_id` varchar(36) not null, `name_key` varchar(255) not null, `joined_at` bigint not null, `version` bigint not null, primary key (`workspace_id`, `user_id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `member` add index `member_user` (`user_id`, `workspace_id`)");
    this.addSql("alter table `member` add index `member_name` (`workspace_id`, `name_key`, `user_id`)");
    this.addSql(
      "create table `password_reset` (`id` varchar(36) not null, `user_id` varchar(36) not null, `secret_hash` varchar(64) not null, `created_at` bigint not null, `expires_at` bigint not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `password_reset` add unique `password_reset_secret` (`secret_hash`)");
    this.addSql("alter table `password_reset` add unique `password_reset_user` (`user_id`)");
    this.addSql(
      "create table `pending_sign_up` (`id` varchar(36) not null, `email` varchar(254) not null, `secret_hash` varchar(64) not null, `display_name` varchar(255) not null, `locale` varchar(35) not null, `time_zone` varchar(64) not null, `password_hash` varchar(255) not null, `invitation_hash` varchar(64) null, `created_at` bigint not null, `expires_at` bigint not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `pending_sign_up` add index `pending_sign_up_expires` (`expires_at`)");
    this.addSql("alter table `pending_sign_up` add unique `pending_sign_up_email` (`email`)");
    this.addSql("alter table `pending_sign_up` add unique `pending_sign_up_secret` (`secret_hash`)");
    this.addSql(
      "create table `request_record` (`subject` varchar(80) not null, `method` varchar(160) not null, `request_id` varchar(36) not null, `request_hash` varchar(64) not null, `response` mediumblob not null, `created_at` bigint not null, primary key (`subject`, `method`, `request_id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `request_record` add index `request_record_created_at` (`created_at`)");
    this.addSql(
      "create table `role` (`workspace_id` varchar(36) not null, `id` varchar(36) not null, `name` varchar(255) not null, `name_key` varchar(255) not null, `description` varchar(1000) not null, `permissions` mediumtext not null, `built_in` int not null, `created_at` bigint not null, `version` bigint not null, primary key (`workspace_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `role` add unique `role_name` (`workspace_id`, `name_key`)");
    this.addSql(
      "create table `role_binding` (`workspace_id` varchar(36) not null, `kind` int unsigned not null, `principal_id` varchar(36) not null, `role_id` varchar(36) not null, `created_at` bigint not null, primary key (`workspace_id`, `kind`, `principal_id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `role_binding` add index `role_binding_role` (`workspace_id`, `role_id`)");
    this.addSql(
      "create table `session` (`id` varchar(36) not null, `user_id` varchar(36) not null, `secret_hash` varchar(64) not null, `client_name` varchar(255) not null, `client_address` varchar(64) not null, `created_at` bigint not null, `last_used_at` bigint not null, `expires_at` bigint not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `session` add index `session_user` (`user_id`, `id`)");
    this.addSql("alter table `session` add index `session_expires` (`expires_at`)");
    this.addSql("alter table `session` add unique `session_secret` (`secret_hash`)");
    this.addSql(
      "create table `signing_key` (`id` varchar(36) not null, `public_x` varchar(64) not null, `private_encrypted` mediumblob not null, `created_at` bigint not null, `signs_from` bigint not null, `verifies_until` bigint null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql(
      "create table `throttle` (`bucket` varchar(64) not null, `failures` int not null, `last_at` bigint not null, `blocked_until` bigint not null, primary key (`bucket`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `throttle` add index `throttle_last` (`last_at`)");
    this.addSql(
      "create table `user_group` (`workspace_id` varchar(36) not null, `id` varchar(36) not null, `name` varchar(255) not null, `name_key` varchar(255) not null, `description` varchar(1000) not null, `created_at` bigint not null, `version` bigint not null, primary key (`workspace_id`, `id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `user_group` add unique `user_group_name` (`workspace_id`, `name_key`)");
    this.addSql(
      "create table `workspace` (`id` varchar(36) not null, `name` varchar(255) not null, `time_zone` varchar(64) not null, `quota_bytes` bigint not null, `max_file_bytes` bigint not null, `created_by` varchar(36) not null, `created_at` bigint not null, `deleted_at` bigint null, `epoch` bigint not null, `version` bigint not null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `workspace` add index `workspace_created_by` (`created_by`)");
  }

  override down(): void {
    this.addSql("drop table if exists `account`");
    this.addSql("drop table if exists `api_key`");
    this.addSql("drop table if exists `api_key_secret`");
    this.addSql("drop table if exists `application`");
    this.addSql("drop table if exists `change`");
    this.addSql("drop table if exists `change_sequence`");
    this.addSql("drop table if exists `former_principal`");
    this.addSql("drop table if exists `group_member`");
    this.addSql("drop table if exists `instance`");
    this.addSql("drop table if exists `invitation`");
    this.addSql("drop table if exists `job`");
    this.addSql("drop table if exists `known_source`");
    this.addSql("drop table if exists `member`");
    this.addSql("drop table if exists `password_reset`");
    this.addSql("drop table if exists `pending_sign_up`");
    this.addSql("drop table if exists `request_record`");
    this.addSql("drop table if exists `role`");
    this.addSql("drop table if exists `role_binding`");
    this.addSql("drop table if exists `session`");
    this.addSql("drop table if exists `signing_key`");
    this.addSql("drop table if exists `throttle`");
    this.addSql("drop table if exists `user_group`");
    this.addSql("drop table if exists `workspace`");
  }
}
