// Brings the schema of the storage service's database up to this code, or back: `node services/storage/migrate.ts --help`.
import { openDatabase } from "@docket/runtime/db/database";
import { runMigrations } from "@docket/runtime/db/migrate_command";
import { databaseOf } from "@docket/runtime/service_settings";
import { environment, readConfig } from "./config.ts";
import { entities } from "./store/entities.ts";
import { migrations } from "./store/migrations/index.ts";

await runMigrations("storage", (options) =>
  openDatabase({ ...databaseOf(readConfig(environment())), ...options, name: "storage", entities, migrations }),
);
