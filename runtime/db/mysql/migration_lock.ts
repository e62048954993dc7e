/** Two that start at once must not both change a schema: who holds the lock of its name may. */
import type { ConnectionOptions } from "mysql2";
import { createConnection } from "mysql2/promise";
import { StartError } from "../../errors.ts";

/** How long to wait for another migration of the same schema, in seconds: as long as changing a large table may take. */
const WAIT_SECONDS = 6 * 60 * 60;

/**
 * Runs `body` while this process alone holds the schema's lock. It is the connection's: it is free again when the
 * process dies.
 */
export async function withMigrationLock<Result>(
  connectionOptions: ConnectionOptions,
  schema: string,
  body: () => Promise<Result>,
): Promise<Result> {
  const connection = await createConnection(connectionOptions);
  try {
    const name = `docket migration ${schema}`.slice(0, 64);
    const [rows] = await connection.query("select get_lock(?, ?) as held", [name, WAIT_SECONDS]);
    if ((rows as { held: number }[])[0]?.held !== 1) {
      throw new StartError(`The schema ${schema} is being migrated by another process that does not end.`);
    }
    return await body();
  } finally {
    connection.destroy();
  }
}
