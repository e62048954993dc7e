import { Migration } from "@mikro-orm/migrations";

export class Migration20261121112020_first extends Migration {
  override up(): void {
    this.addSql(
      "create table `account` (`id` text not null primary key, `email` text not null, `display_name` text not null, `name_key` text not null, `locale` text not null, `time_zone` text not null, `password_hash` text not null, `administrator` integer not null, `created_at` bigint not null, `disabled_at` bigint null, `reset_requested_at` bigint null, `version` bigint not null)",
    );
    this.addSql("create index `account_name` on `account` (`name_key`, `id`)");
    this.addSql("create unique index `account_email` on `account` (`email`)");
    this.addSql(
      "create table `api_key` (`id` text not null primary key, `workspace_id` text not null, `application_id` text not null, `name` text not null, `scopes` text not null, `created_at` bigint not null, `expires_at` bigint null, `last_used_at` bigint null, `revoked_at` bigint null)",
    );
    this.addSql("create index `api_key_application` on `api_key` (`workspace_id`, `application_id`, `id`)");
    this.addSql(
      "create table `api_key_secret` (`key_id` text not null, `id` text not null, `secret_hash` text not null, `ending` text not null, `created_at` bigint not null, primary key (`key_id`, `id`))",
    );
    this.addSql(
      "create table `application` (`workspace_id` text not null, `id` text not null, `name` text not null, `name_key` text not null, `description` text not null, `created_by` text not null, `owner_id` text not null, `created_at` bigint not null, `version` bigint not null, primary key (`workspace_id`, `id`))",
    );
    this.addSql("create index `application_owner` on `application` (`owner_id`)");
    this.addSql("create unique index `application_name` on `application` (`workspace_id`, `name_key`)");
    this.addSql(
      "create table `change` (`partition` text not null, `sequence` bigint not null, `kind` text not null, `subject_id` text null, `payload` blob not null, `occurred_at` bigint not null, primary key (`partition`, `sequence`))",
    );
    this.addSql("create index `change_partition_subject` on `change` (`partition`, `subject_id`, `sequence`)");
    this.addSql("create index `change_occurred_at` on `change` (`occurred_at`)");
    this.addSql(
      "create table `change_sequence` (`partition` text not null primary key, `n` bigint not null, `trimmed` bigint not null default '0')",
    );
    this.addSql(
      "create table `group_member` (`workspace_id` text not null, `group_id` text not null, `kind` integer not null, `principal_id` text not null, `added_at` bigint not null, primary key (`workspace_id`, `group_id`, `kind`, `principal_id`))",
    );
    this.addSql("create index `group_member_principal` on `group_member` (`workspace_id`, `kind`, `principal_id`)");
    this.addSql("create table `instance` (`id` integer not null primary key autoincrement, `writes` bigint not null)");
    this.addSql(
      "create table `invitation` (`workspace_id` text not null, `id` text not null, `email` text not null, `role_id` text not null, `secret_hash` text not null, `created_by` text not null, `created_at` bigint not null, `expires_at` bigint not null, `accepted_by` text null, `accepted_at` bigint null, `revoked_at` bigint null, primary key (`workspace_id`, `id`))",
    );
    this.addSql("create unique index `invitation_secret` on `invitation` (`secret_hash`)");
    this.addSql(
      "create table `job` (`id` text not null primary key, `kind` text not null, `unique_key` text null, `payload` text not null, `state` text not null, `run_at` bigint not null, `attempts` integer not null default 0, `max_attempts` integer not null, `lease_until` bigint null, `lease_token` bigint not null default '0', `last_error` text null, `created_at` bigint not null, `finished_at` bigint null)",
    );
    this.addSql("create index `job_due` on `job` (`state`, `run_at`)");
    this.addSql("create index `job_finished` on `job` (`state`, `finished_at`)");
    this.addSql("create unique index `job_kind_key` on `job` (`kind`, `unique_key`)");
    this.addSql(
      "create table `known_source` (`user_id` text not null, `source_hash` text not null, `last_at` bigint not null, primary key (`user_id`, `source_hash`))",
    );
    this.addSql("create index `known_source_last` on `known_source` (`last_at`)");
    this.addSql(
      "create table `member` (`workspace_id` text not null, `user_id` text not null, `name_key` text not null, `joined_at` bigint not null, `version` bigint not null, primary key (`workspace_id`, `user_id`))",
    );
    this.addSql("create index `member_user` on `member` (`user_id`, `workspace_id`)");
    this.addSql("create index `member_name` on `member` (`workspace_id`, `name_key`, `user_id`)");
    this.addSql(
      "create table `password_reset` (`id` text not null primary key, `user_id` text not null, `secret_hash` text not null, `created_at` bigint not null, `expires_at` bigint not null)",
    );
    this.addSql("create unique index `password_reset_secret` on `password_reset` (`secret_hash`)");
    this.addSql("create unique index `password_reset_user` on `password_reset` (`user_id`)");
    this.addSql(
      "create table `pending_sign_up` (`id` text not null primary key, `email` text not null, `secret_hash` text not null, `display_name` text not null, `locale` text not null, `time_zone` text not null, `password_hash` text not null, `invitation_hash` text null, `created_at` bigint not null, `expires_at` bigint not null)",
    );
    this.addSql("create index `pending_sign_up_expires` on `pending_sign_up` (`expires_at`)");
    this.addSql("create unique index `pending_sign_up_email` on `pending_sign_up` (`email`)");
    this.addSql("create unique index `pending_sign_up_secret` on `pending_sign_up` (`secret_hash`)");
    this.addSql(
      "create table `request_record` (`subject` text not null, `method` text not null, `request_id` text not null, `request_hash` text not null, `response` blob not null, `created_at` bigint not null, primary key (`subject`, `method`, `request_id`))",
    );
    this.addSql("create index `request_record_created_at` on `request_record` (`created_at`)");
    this.addSql(
      "create table `role` (`workspace_id` text not null, `id` text not null, `name` text not null, `name_key` text not null, `description` text not null, `permissions` text not null, `built_in` integer not null, `created_at` bigint not null, `version` bigint not null, primary key (`workspace_id`, `id`))",
    );
    this.addSql("create unique index `role_name` on `role` (`workspace_id`, `name_key`)");
    this.addSql(
      "create table `role_binding` (`workspace_id` text not null, `kind` integer not null, `principal_id` text not null, `role_id` text not null, `created_at` bigint not null, primary key (`workspace_id`, `kind`, `principal_id`))",
    );
    this.addSql("create index `role_binding_role` on `role_binding` (`workspace_id`, `role_id`)");
    this.addSql(
      "create table `session` (`id` text not null primary key, `user_id` text not null, `secret_hash` text not null, `client_name` text not null, `client_address` text not null, `created_at` bigint not null, `last_used_at` bigint not null, `expires_at` bigint not null)",
    );
    this.addSql("create index `session_user` on `session` (`user_id`, `id`)");
    this.addSql("create index `session_expires` on `session` (`expires_at`)");
    this.addSql("create unique index `session_secret` on `session` (`secret_hash`)");
    this.addSql(
      "create table `signing_key` (`id` text not null primary key, `public_x` text not null, `private_encrypted` blob not null, `created_at` bigint not null, `signs_from` bigint not null, `verifies_until` bigint null)",
    );
    this.addSql(
      "create table `throttle` (`bucket` text not null primary key, `failures` integer not null, `last_at` bigint not null, `blocked_until` bigint not null)",
    );
    this.addSql("create index `throttle_last` on `throttle` (`last_at`)");
    this.addSql(
      "create table `user_group` (`workspace_id` text not null, `id` text not null, `name` text not null, `name_key` text not null, `description` text not null, `created_at` bigint not null, `version` bigint not null, primary key (`workspace_id`, `id`))",
    );
    this.addSql("create unique index `user_group_name` on `user_group` (`workspace_id`, `name_key`)");
    this.addSql(
      "create table `workspace` (`id` text not null primary key, `name` text not null, `time_zone` text not null, `quota_bytes` bigint not null, `max_file_bytes` bigint not null, `created_by` text not null, `created_at` bigint not null, `deleted_at` bigint null, `epoch` bigint not null, `version` bigint not null)",
    );
    this.addSql("create index `workspace_created_by` on `workspace` (`created_by`)");
  }

  override down(): void {
    this.addSql("drop table if exists `workspace`");
    this.addSql("drop table if exists `user_group`");
    this.addSql("drop table if exists `throttle`");
    this.addSql("drop table if exists `signing_key`");
    this.addSql("drop table if exists `session`");
    this.addSql("drop table if exists `role_binding`");
    this.addSql("drop table if exists `role`");
    this.addSql("drop table if exists `request_record`");
    this.addSql("drop table if exists `pending_sign_up`");
    this.addSql("drop table if exists `password_reset`");
    this.addSql("drop table if exists `member`");
    this.addSql("drop table if exists `known_source`");
    this.addSql("drop table if exists `job`");
    this.addSql("drop table if exists `invitation`");
    this.addSql("drop table if exists `instance`");
    this.addSql("drop table if exists `group_member`");
    this.addSql("drop table if exists `change_sequence`");
    this.addSql("drop table if exists `change`");
    this.addSql("drop table if exists `application`");
    this.addSql("drop table if exists `api_key_secret`");
    this.addSql("drop table if exists `api_key`");
    this.addSql("drop table if exists `account`");
  }
}
