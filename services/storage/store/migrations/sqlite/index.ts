// Oldest first; written by runtime/db/create_migration.ts.
import { Migration20261121112418_initial } from "./Migration20261121112418_initial.ts";

export const migrations = [Migration20261121112418_initial];
