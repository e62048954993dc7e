/** A process that claims a job and never ends it, until it is killed: `node doomed.ts <folder> <leaseMs>`. */
import { openNotesIn, silentLogger } from "../../db/testing/note.ts";
import { startWorker } from "../worker.ts";

const [folder = "", leaseMs = "0"] = process.argv.slice(2);
const db = await openNotesIn(folder);
startWorker({
  db,
  logger: silentLogger,
  leaseMs: Number(leaseMs),
  handlers: {
    async write() {
      console.log("claimed");
      await new Promise(() => undefined);
    },
  },
});
