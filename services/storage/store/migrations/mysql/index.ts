// Oldest first; written by runtime/db/create_migration.ts.
import { Migration20261121171355_begin } from "./Migration20261121171355_begin.ts";

export const migrations = [Migration20261121171355_begin];
