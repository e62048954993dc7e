// Oldest first; written by runtime/db/create_migration.ts.
import { Migration20261121171623_begin } from "./Migration20261121171623_begin.ts";

export const migrations = [Migration20261121171623_begin];
