/** The runtime's tables in SQL, as a service's own migrations have them; `database.test.ts` compares them with the entities. */
export const runtimeTablesSql = [
  "create table `change` (`partition` text not null, `sequence` bigint not null, `kind` text not null, `subject_id` text null, `payload` blob not null, `occurred_at` bigint not null, `trace` text null, primary key (`partition`, `sequence`))",
  "create index `change_partition_subject` on `change` (`partition`, `subject_id`, `sequence`)",
  "create index `change_occurred_at` on `change` (`occurred_at`)",
  "create table `change_sequence` (`partition` text not null primary key, `n` bigint not null, `trimmed` bigint not null default '0')",
  "create table `job` (`id` text not null primary key, `kind` text not null, `unique_key` text null, `payload` text not null, `state` text not null, `run_at` bigint not null, `attempts` integer not null default 0, `max_attempts` integer not null, `lease_until` bigint null, `lease_token` bigint not null default '0', `last_error` text null, `created_at` bigint not null, `finished_at` bigint null, `trace` text null)",
  "create index `job_due` on `job` (`state`, `run_at`)",
  "create index `job_finished` on `job` (`state`, `finished_at`)",
  "create unique index `job_kind_key` on `job` (`kind`, `unique_key`)",
  "create table `request_record` (`subject` text not null, `method` text not null, `request_id` text not null, `request_hash` text not null, `response` blob not null, `created_at` bigint not null, primary key (`subject`, `method`, `request_id`))",
  "create index `request_record_created_at` on `request_record` (`created_at`)",
];

/** The same on MySQL and MariaDB. */
export const runtimeTablesMysql = [
  "create table `change` (`partition` varchar(36) not null, `sequence` bigint unsigned not null, `kind` varchar(64) not null, `subject_id` varchar(36) null, `payload` mediumblob not null, `occurred_at` bigint not null, `trace` varchar(55) null, primary key (`partition`, `sequence`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
  "alter table `change` add index `change_partition_subject` (`partition`, `subject_id`, `sequence`)",
  "alter table `change` add index `change_occurred_at` (`occurred_at`)",
  "create table `change_sequence` (`partition` varchar(36) not null, `n` bigint not null, `trimmed` bigint not null default 0, primary key (`partition`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
  "create table `job` (`id` varchar(36) not null, `kind` varchar(64) not null, `unique_key` varchar(200) null, `payload` mediumtext not null, `state` varchar(8) not null, `run_at` bigint not null, `attempts` int not null default 0, `max_attempts` int not null, `lease_until` bigint null, `lease_token` bigint not null default 0, `last_error` varchar(1000) null, `created_at` bigint not null, `finished_at` bigint null, `trace` varchar(55) null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
  "alter table `job` add index `job_due` (`state`, `run_at`)",
  "alter table `job` add index `job_finished` (`state`, `finished_at`)",
  "alter table `job` add unique `job_kind_key` (`kind`, `unique_key`)",
  "create table `request_record` (`subject` varchar(80) not null, `method` varchar(160) not null, `request_id` varchar(36) not null, `request_hash` varchar(64) not null, `response` mediumblob not null, `created_at` bigint not null, primary key (`subject`, `method`, `request_id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
  "alter table `request_record` add index `request_record_created_at` (`created_at`)",
];
