// Oldest first; written by runtime/db/create_migration.ts.
import { Migration20261121171353_begin } from "./Migration20261121171353_begin.ts";
import { Migration20261121171400_seed } from "./Migration20261121171400_seed.ts";
import { Migration20261121172600_webhooks } from "./Migration20261121172600_webhooks.ts";
import { Migration20261121211617_traces } from "./Migration20261121211617_traces.ts";

export const migrations = [
  Migration20261121171353_begin,
  Migration20261121171400_seed,
  Migration20261121172600_webhooks,
  Migration20261121211617_traces,
];
