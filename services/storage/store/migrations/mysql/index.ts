// Oldest first; written by runtime/db/create_migration.ts.
import { Migration20261121171355_begin } from "./Migration20261121171355_begin.ts";
import { Migration20261121172952_upload_writes } from "./Migration20261121172952_upload_writes.ts";
import { Migration20261121211624_traces } from "./Migration20261121211624_traces.ts";

export const migrations = [
  Migration20261121171355_begin,
  Migration20261121172952_upload_writes,
  Migration20261121211624_traces,
];
