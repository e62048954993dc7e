// Oldest first; written by runtime/db/create_migration.ts.
import { Migration20261121171357_begin } from "./Migration20261121171357_begin.ts";
import { Migration20261121211606_traces } from "./Migration20261121211606_traces.ts";

export const migrations = [Migration20261121171357_begin, Migration20261121211606_traces];
