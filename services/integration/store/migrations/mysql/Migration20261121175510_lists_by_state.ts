import { Migration } from "@mikro-orm/migrations";

export class Migration20261121175510_lists_by_state extends Migration {
  override up(): void {
    this.addSql(
      "alter table `delivery` add index `delivery_listed_by_state` (`webhook_id`, `state`, `created_at`, `id`)",
    );
    this.addSql("alter table `delivery` rename index `delivery_waiting` to `delivery_ended`");
  }

  override down(): void {
    this.addSql("alter table `delivery` drop index `delivery_listed_by_state`");
    this.addSql("alter table `delivery` rename index `delivery_ended` to `delivery_waiting`");
  }
}
