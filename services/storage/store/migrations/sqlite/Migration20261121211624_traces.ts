import { Migration } from "@mikro-orm/migrations";

export class Migration20261121211624_traces extends Migration {
  override up(): void {
    this.addSql("alter table `change` add column `trace` text null");
    this.addSql("alter table `job` add column `trace` text null");
  }

  override down(): void {
    this.addSql("alter table `change` drop column `trace`");
    this.addSql("alter table `job` drop column `trace`");
  }
}
