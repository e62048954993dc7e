// Oldest first; written by runtime/db/create_migration.ts.
import { Migration20261121113838_initial } from "./Migration20261121113838_initial.ts";

export const migrations = [Migration20261121113838_initial];
