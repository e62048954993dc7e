import { Migration } from "@mikro-orm/migrations";

export class Migration20261121172952_upload_writes extends Migration {
  override up(): void {
    this.addSql(
      "create table `upload_write` (`id` varchar(36) not null, `upload_id` varchar(36) not null, `start` bigint not null, `end` bigint null, `created_at` bigint not null, `superseded_at` bigint null, primary key (`id`)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB",
    );
    this.addSql("alter table `upload_write` add index `upload_write_upload` (`upload_id`)");
    this.addSql("alter table `upload_write` add index `upload_write_created_at` (`created_at`)");
    this.addSql("alter table `upload` add `write_count` int not null default 0");
  }

  override down(): void {
    this.addSql("drop table if exists `upload_write`");
    this.addSql("alter table `upload` drop column `write_count`");
  }
}
