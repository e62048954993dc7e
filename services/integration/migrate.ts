// Brings the schema of the integration service's database up to this code, or back: `node services/integration/migrate.ts --help`.
import { openDatabase } from "@docket/runtime/db/database";
import { runMigrations } from "@docket/runtime/db/migrate_command";
import { databaseOf } from "@docket/runtime/service_settings";
import { readConfig } from "./config.ts";
import { entities } from "./store/entities.ts";
import { migrations } from "./store/migrations/index.ts";

await runMigrations("integration", (options) =>
  openDatabase({ ...databaseOf(readConfig()), ...options, name: "integration", entities, migrations }),
);
