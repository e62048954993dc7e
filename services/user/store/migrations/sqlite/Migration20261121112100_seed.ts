import { Migration } from "@mikro-orm/migrations";

/** The instance's one row, and the built-in roles as domain/roles.ts has them. */
export class Migration20261121112100_seed extends Migration {
  override up(): void {
    this.addSql("insert into `instance` (`id`, `writes`) values (1, 0)");
    const roles: readonly [digit: number, name: string, description: string, permissions: string][] = [
      [1, "Owner", "Everything, including to hand over and delete the workspace.", "[1,2,3,10,11,12,13,20,30,40]"],
      [2, "Admin", "Everything but to hand over and delete the workspace.", "[1,2,10,11,12,13,20,30,40]"],
      [3, "Member", "Works on documents and tasks.", "[1,10,11,12,20,30,40]"],
      [4, "Guest", "Sees the workspace, and of its contents only what was granted.", "[1,30,40]"],
    ];
    for (const [digit, name, description, permissions] of roles) {
      this.addSql(
        "insert into `role` (`workspace_id`, `id`, `name`, `name_key`, `description`, `permissions`, `built_in`, `created_at`, `version`) " +
          `values ('', '00000000-0000-7000-8000-00000000000${digit}', '${name}', '${name.toLowerCase()}', '${description}', '${permissions}', ${digit}, 0, 1)`,
      );
    }
  }

  override down(): void {
    this.addSql("delete from `role` where `workspace_id` = ''");
    this.addSql("delete from `instance`");
  }
}
