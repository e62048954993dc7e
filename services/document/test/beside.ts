// The database of a running service, opened a second time, as another replica would.
import { openDatabase } from "@docket/runtime/db/database";
import { captureLog } from "@docket/runtime/testing/log";
import { type DocumentDatabase, entities } from "../store/entities.ts";
import { migrations } from "../store/migrations/index.ts";

export function openBeside(folder: string): Promise<DocumentDatabase> {
  const { logger } = captureLog();
  return openDatabase({
    url: `file:${folder}`,
    name: "document",
    entities,
    migrations,
    logger,
  });
}
