// The database of a running service, opened a second time, as another replica would.
import { openDatabase } from "@docket/runtime/db/database";
import { captureLog } from "@docket/runtime/testing/log";
import { testDatabaseUrl } from "@docket/runtime/testing/test_parts";
import { type DocumentDatabase, entities } from "../store/entities.ts";
import { migrations } from "../store/migrations/index.ts";

export async function openBeside(folder: string): Promise<DocumentDatabase> {
  const { logger } = captureLog();
  return openDatabase({
    url: await testDatabaseUrl(folder),
    migrate: true,
    name: "document",
    entities,
    migrations,
    logger,
  });
}
