import { Migration } from "@mikro-orm/migrations";

export class Migration20261121175510_lists_by_state extends Migration {
  override up(): void {
    this.addSql("create index `delivery_listed_by_state` on `delivery` (`webhook_id`, `state`, `created_at`, `id`)");
    this.addSql("drop index `delivery_waiting`");
    this.addSql("create index `delivery_ended` on `delivery` (`state`, `due_at`)");
  }

  override down(): void {
    this.addSql("drop index `delivery_listed_by_state`");
    this.addSql("drop index `delivery_ended`");
    this.addSql("create index `delivery_waiting` on `delivery` (`state`, `due_at`)");
  }
}
