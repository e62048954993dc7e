// The migrations of each dialect.
import { migrations as mysql } from "./mysql/index.ts";
import { migrations as sqlite } from "./sqlite/index.ts";

export const migrations = { sqlite, mysql };
