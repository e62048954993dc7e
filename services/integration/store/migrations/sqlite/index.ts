// Oldest first; written by runtime/db/create_migration.ts.
import { Migration20261121172431_begin } from "./Migration20261121172431_begin.ts";
import { Migration20261121175510_lists_by_state } from "./Migration20261121175510_lists_by_state.ts";
import { Migration20261121211628_traces } from "./Migration20261121211628_traces.ts";

export const migrations = [
  Migration20261121172431_begin,
  Migration20261121175510_lists_by_state,
  Migration20261121211628_traces,
];
