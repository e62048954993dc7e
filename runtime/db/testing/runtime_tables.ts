/** The runtime's tables in SQL, as a service's own migrations have them; `database.test.ts` compares them with the entities. */
export const runtimeTablesSql = [
  "create table `change` (`partition` text not null, `sequence` bigint not null, `kind` text not null, `subject_id` text null, `payload` blob not null, `occurred_at` bigint not null, primary key (`partition`, `sequence`))",
  "create index `change_partition_subject` on `change` (`partition`, `subject_id`, `sequence`)",
  "create index `change_occurred_at` on `change` (`occurred_at`)",
  "create table `change_sequence` (`partition` text not null primary key, `n` bigint not null, `trimmed` bigint not null default '0')",
  "create table `job` (`id` text not null primary key, `kind` text not null, `unique_key` text null, `payload` text not null, `state` text not null, `run_at` bigint not null, `attempts` integer not null default 0, `max_attempts` integer not null, `lease_until` bigint null, `lease_token` bigint not null default '0', `last_error` text null, `created_at` bigint not null, `finished_at` bigint null)",
  "create index `job_due` on `job` (`state`, `run_at`)",
  "create index `job_finished` on `job` (`state`, `finished_at`)",
  "create unique index `job_kind_key` on `job` (`kind`, `unique_key`)",
  "create table `request_record` (`subject` text not null, `method` text not null, `request_id` text not null, `request_hash` text not null, `response` blob not null, `created_at` bigint not null, primary key (`subject`, `method`, `request_id`))",
  "create index `request_record_created_at` on `request_record` (`created_at`)",
];
