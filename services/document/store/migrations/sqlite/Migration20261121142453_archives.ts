import { Migration } from "@mikro-orm/migrations";

export class Migration20261121142453_archives extends Migration {
  override up(): void {
    this.addSql(
      "create table `archive` (`workspace_id` text not null, `id` text not null, `name` text not null, `document_ids` text not null, `folder_ids` text not null, `created_by` text not null, `created_at` bigint not null, `expires_at` bigint not null, primary key (`workspace_id`, `id`))",
    );
    this.addSql("create index `archive_expires_at` on `archive` (`expires_at`)");
    this.addSql("create unique index `archive_id` on `archive` (`id`)");
  }

  override down(): void {
    this.addSql("drop table if exists `archive`");
  }
}
