import { Migration } from "@mikro-orm/migrations";

export class Migration20261121143844_former_principals extends Migration {
  override up(): void {
    this.addSql(
      "create table `former_principal` (`workspace_id` text not null, `principal_id` text not null, `kind` integer not null, `name` text not null, primary key (`workspace_id`, `principal_id`))",
    );
  }

  override down(): void {
    this.addSql("drop table if exists `former_principal`");
  }
}
