import { Migration } from "@mikro-orm/migrations";

export class Migration20261121122018_checks_and_limits extends Migration {
  override up(): void {
    this.addSql("alter table `blob` add column `checked_at` bigint null");
    this.addSql("create index `blob_checked_at` on `blob` (`checked_at`, `created_at`)");
    this.addSql("alter table `storage_usage` add column `max_file_bytes` bigint null");
  }

  override down(): void {
    this.addSql("alter table `storage_usage` drop column `max_file_bytes`");
    this.addSql("drop index `blob_checked_at`");
    this.addSql("alter table `blob` drop column `checked_at`");
  }
}
