// Oldest first; written by runtime/db/create_migration.ts.
import { Migration20261121112811_begin } from "./Migration20261121112811_begin.ts";
import { Migration20261121113138_tasks } from "./Migration20261121113138_tasks.ts";
import { Migration20261121140453_sizes_and_kinds } from "./Migration20261121140453_sizes_and_kinds.ts";

export const migrations = [
  Migration20261121112811_begin,
  Migration20261121113138_tasks,
  Migration20261121140453_sizes_and_kinds,
];
