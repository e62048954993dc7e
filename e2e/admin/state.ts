// `npm run admin -- migrations` and `verify`: what the databases are, and whether all contents are whole.

import { StartError } from "@docket/runtime/errors";
import { readConfig as readStorageConfig } from "@docket/storage/config";
import { openContents } from "@docket/storage/admin";
import { verifyAll } from "../verify.ts";
import { type Command, columns } from "./command.ts";
import { databasesNamed, openers, refuseOneSchema, withDatabases } from "./databases.ts";

/** Commands that look and change nothing. */
export const stateCommands: readonly Command[] = [
  {
    name: "migrations",
    parameters: "[<service>]",
    summary: "Which migrations each database has, and which it lacks.",
    count: { min: 0, max: 1 },
    async run({ positionals: [service] }, { environment }) {
      const found = await Promise.all(
        databasesNamed(service, environment).map(async (name) => {
          try {
            const [state] = await withDatabases([name], environment, (admin) => admin.schemaState());
            return { service: name, executed: state?.executed ?? [], pending: state?.pending ?? [], fault: undefined };
          } catch (error) {
            if (!(error instanceof StartError)) throw error;
            return { service: name, executed: [], pending: [], fault: error.message };
          }
        }),
      );
      const rows = found.flatMap(({ service: name, executed, pending, fault }) => [
        ...executed.map((migration) => [name, "applied", migration]),
        ...pending.map((migration) => [name, "pending", migration]),
        ...(fault === undefined ? [] : [[name, "refused", fault]]),
      ]);
      const sound = found.every(({ pending, fault }) => pending.length === 0 && fault === undefined);
      return { data: found, lines: columns(["SERVICE", "STATE", "MIGRATION"], rows), sound };
    },
  },
  {
    name: "verify",
    parameters: "",
    summary: "Reads all stored contents, compares each with its digest, and each version with its content.",
    count: { min: 0, max: 0 },
    async run(_, { environment, say }) {
      refuseOneSchema(environment);
      await using document = await openers.document(environment);
      await using storage = await openers.storage(environment);
      await using contents = await openContents(readStorageConfig(environment));
      const found = await verifyAll({ document, storage, contents, say });
      return { data: found, lines: found.lines, sound: found.sound };
    },
  },
];
