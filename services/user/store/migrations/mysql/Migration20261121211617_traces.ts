import { Migration } from "@mikro-orm/migrations";

export class Migration20261121211617_traces extends Migration {
  override up(): void {
    this.addSql("alter table `change` add `trace` varchar(55) null");
    this.addSql("alter table `job` add `trace` varchar(55) null");
  }

  override down(): void {
    this.addSql("alter table `change` drop column `trace`");
    this.addSql("alter table `job` drop column `trace`");
  }
}
