// Oldest first; written by runtime/db/create_migration.ts.
import { Migration20261121112020_first } from "./Migration20261121112020_first.ts";
import { Migration20261121112100_seed } from "./Migration20261121112100_seed.ts";
import { Migration20261121143844_former_principals } from "./Migration20261121143844_former_principals.ts";
import { Migration20261121172600_webhooks } from "./Migration20261121172600_webhooks.ts";
import { Migration20261121211617_traces } from "./Migration20261121211617_traces.ts";

export const migrations = [
  Migration20261121112020_first,
  Migration20261121112100_seed,
  Migration20261121143844_former_principals,
  Migration20261121172600_webhooks,
  Migration20261121211617_traces,
];
