// Oldest first; written by runtime/db/create_migration.ts.
import { Migration20261121112129_begin } from "./Migration20261121112129_begin.ts";

export const migrations = [Migration20261121112129_begin];
