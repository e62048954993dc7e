import { Migration } from "@mikro-orm/migrations";

/** Owners and admins manage webhooks, as domain/roles.ts has it. */
export class Migration20261121172600_webhooks extends Migration {
  override up(): void {
    this.addSql("update `role` set `permissions` = '[1,2,3,10,11,12,13,20,30,40,41]' where `built_in` = 1");
    this.addSql("update `role` set `permissions` = '[1,2,10,11,12,13,20,30,40,41]' where `built_in` = 2");
  }

  override down(): void {
    this.addSql("update `role` set `permissions` = '[1,2,3,10,11,12,13,20,30,40]' where `built_in` = 1");
    this.addSql("update `role` set `permissions` = '[1,2,10,11,12,13,20,30,40]' where `built_in` = 2");
  }
}
