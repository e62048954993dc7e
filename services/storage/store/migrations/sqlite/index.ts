// Oldest first; written by runtime/db/create_migration.ts.
import { Migration20261121113838_initial } from "./Migration20261121113838_initial.ts";
import { Migration20261121122018_checks_and_limits } from "./Migration20261121122018_checks_and_limits.ts";
import { Migration20261121172952_upload_writes } from "./Migration20261121172952_upload_writes.ts";
import { Migration20261121211624_traces } from "./Migration20261121211624_traces.ts";

export const migrations = [
  Migration20261121113838_initial,
  Migration20261121122018_checks_and_limits,
  Migration20261121172952_upload_writes,
  Migration20261121211624_traces,
];
