import { Migration } from "@mikro-orm/migrations";

export class Migration20261121172952_upload_writes extends Migration {
  override up(): void {
    this.addSql(
      "create table `upload_write` (`id` text not null primary key, `upload_id` text not null, `start` bigint not null, `end` bigint null, `created_at` bigint not null, `superseded_at` bigint null)",
    );
    this.addSql("create index `upload_write_upload` on `upload_write` (`upload_id`)");
    this.addSql("create index `upload_write_created_at` on `upload_write` (`created_at`)");
    this.addSql("alter table `upload` add column `write_count` integer not null default 0");
  }

  override down(): void {
    this.addSql("drop table if exists `upload_write`");
    this.addSql("alter table `upload` drop column `write_count`");
  }
}
