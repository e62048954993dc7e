// Writers of one process: `node changes_writer.ts <database> <partitions> <documents> <lanes> <transactions>`. Each transaction
// counts a document up, one to nine times, and logs each count; a tenth of them is rolled back. Prints how many were kept.

import { appendChanges } from "@docket/runtime/changelog/append";
import { openDatabase } from "@docket/runtime/db/database";
import { entities, migrations, silentLogger } from "@docket/runtime/db/testing/note";

const [url = "", ...numbers] = process.argv.slice(2);
const [partitions = 1, documents = 1, lanes = 1, transactions = 0] = numbers.map(Number);
await using db = await openDatabase({
  url,
  name: "notes",
  entities,
  migrations,
  connection: { connections: lanes },
  logger: silentLogger,
});

class RolledBack extends Error {}

let kept = 0;

async function write(): Promise<void> {
  const partition = `workspace ${Math.floor(Math.random() * partitions)}`;
  const id = `${partition} document ${Math.floor(Math.random() * documents)}`;
  const count = 1 + Math.floor(Math.random() * 9);
  try {
    await db.transaction(async (tx) => {
      const { version } = await tx.selectFrom("note").select("version").where("id", "=", id).executeTakeFirstOrThrow();
      await tx
        .updateTable("note")
        .set({ version: version + count })
        .where("id", "=", id)
        .execute();
      const rows = Array.from({ length: count }, (_, at) => ({
        kind: "counted",
        subjectId: id,
        payload: Buffer.from(String(version + at + 1)),
      }));
      await appendChanges(tx, partition, rows);
      if (Math.random() < 0.1) throw new RolledBack();
    });
    kept += count;
  } catch (error) {
    if (!(error instanceof RolledBack)) throw error;
  }
}

let left = transactions;
await Promise.all(
  Array.from({ length: lanes }, async () => {
    while (left > 0) {
      left -= 1;
      await write();
    }
  }),
);
process.stdout.write(`${kept}\n`);
