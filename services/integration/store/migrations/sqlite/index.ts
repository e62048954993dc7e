// Oldest first; written by runtime/db/create_migration.ts.
import { Migration20261121172431_begin } from "./Migration20261121172431_begin.ts";

export const migrations = [Migration20261121172431_begin];
