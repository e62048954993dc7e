// A reader that may be killed at any moment: `node changes_reader.ts <database> <partitions> <file>`. It follows the log and
// appends what it sees to its file, each batch in one write; its place is what that file holds.

import { appendFileSync, existsSync, readFileSync, truncateSync } from "node:fs";
import { Tailer } from "@docket/runtime/changelog/tailer";
import { openDatabase } from "@docket/runtime/db/database";
import { entities, migrations, silentLogger } from "@docket/runtime/db/testing/note";

const [url = "", partitions = "1", file = ""] = process.argv.slice(2);

const positions = new Map(Array.from({ length: Number(partitions) }, (_, at) => [`workspace ${at}`, 0]));
if (existsSync(file)) {
  const text = readFileSync(file, "utf8");
  // A write that was cut leaves a line without an end.
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  truncateSync(file, Buffer.byteLength(whole));
  for (const line of whole.split("\n").filter((each) => each !== "")) {
    const [partition = "", sequence = "0"] = line.split("|");
    positions.set(partition, Number(sequence));
  }
}

await using db = await openDatabase({
  url,
  name: "notes",
  entities,
  migrations,
  connection: { connections: 4 },
  logger: silentLogger,
});
await using tailer = new Tailer({ db, logger: silentLogger, pollMs: 100 });
const { signal } = new AbortController();
for await (const batch of tailer.follow(positions, { signal })) {
  const lines = batch.map(
    ({ partition, sequence, subjectId, payload }) =>
      `${partition}|${sequence}|${subjectId}|${Buffer.from(payload).toString()}\n`,
  );
  appendFileSync(file, lines.join(""));
}
