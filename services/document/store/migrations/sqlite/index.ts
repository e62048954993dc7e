// Oldest first; written by runtime/db/create_migration.ts.
import { Migration20261121112811_begin } from "./Migration20261121112811_begin.ts";
import { Migration20261121113138_tasks } from "./Migration20261121113138_tasks.ts";
import { Migration20261121140453_sizes_and_kinds } from "./Migration20261121140453_sizes_and_kinds.ts";
import { Migration20261121141025_tags } from "./Migration20261121141025_tags.ts";
import { Migration20261121142453_archives } from "./Migration20261121142453_archives.ts";
import { Migration20261121171043_reminders_and_trash } from "./Migration20261121171043_reminders_and_trash.ts";
import { Migration20261121211606_traces } from "./Migration20261121211606_traces.ts";

export const migrations = [
  Migration20261121112811_begin,
  Migration20261121113138_tasks,
  Migration20261121140453_sizes_and_kinds,
  Migration20261121141025_tags,
  Migration20261121142453_archives,
  Migration20261121171043_reminders_and_trash,
  Migration20261121211606_traces,
];
