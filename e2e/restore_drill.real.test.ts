// The drill of docs/operations/restore-drill.md on MariaDB and S3: dumped while people work, contents copied, restored on
// other servers, verified by digest, started, and compared with what was acknowledged.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { reasonOf } from "@docket/runtime/errors";
import { eventually } from "@docket/runtime/testing/eventually";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { madeFile } from "./bytes.ts";
import { type Person, signIn, signUp } from "./person.ts";
import { startProcesses } from "./processes.ts";
import { migrate } from "./real/migrated.ts";
import { databases, type Parts, startParts } from "./real/parts.ts";
import { digestOverHttp, upload } from "./transfer.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const schemas = databases.map((service) => `docket_${service}`);

interface Ended {
  readonly code: number;
  readonly said: string;
}

/** Runs a command of the runbook; its output goes to a file, or its input comes from one, where named. */
async function run(
  command: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
  { to, from }: { readonly to?: string; readonly from?: string } = {},
): Promise<Ended> {
  const child = spawn(command, words, { cwd: root, env: { ...process.env, ...environment }, stdio: "pipe" });
  let said = "";
  const keep = (chunk: Buffer) => {
    said += chunk;
  };
  if (from !== undefined) createReadStream(from).pipe(child.stdin);
  else child.stdin.end();
  if (to !== undefined) child.stdout.pipe(createWriteStream(to, { mode: 0o600 }));
  else child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const [code] = (await once(child, "close")) as [number];
  return { code, said };
}

const admin = (words: readonly string[], environment: Readonly<Record<string, string>>) =>
  run(process.execPath, ["--no-warnings", "e2e/admin.ts", ...words], environment);

function asRoot({ mariadb }: Parts): { words: string[]; environment: Record<string, string> } {
  const { hostname, port, username, password } = new URL(mariadb.url("mysql"));
  const words = [`--host=${hostname}`, `--port=${port}`, `--user=${username}`];
  return { words, environment: { MYSQL_PWD: decodeURIComponent(password) } };
}

async function addDocument(person: Person, workspaceId: string, seed: string): Promise<[string, string]> {
  const file = madeFile(seed, 60_000);
  const uploadId = await upload(person, { workspaceId, name: seed, file });
  const { document } = await person.documents.createDocument({
    parent: { case: "workspaceId", value: workspaceId },
    uploadId,
  });
  return [document?.id ?? "", file.sha256().toString("hex")];
}

describe("the restore drill on MariaDB and S3", () => {
  it("brings everything acknowledged before the dump to other servers, digest by digest", async () => {
    await using folder = await temporaryFolder();
    const secrets = { KEY_ENCRYPTION_SECRET: "the same on both sides, 32 characters" };
    const dump = join(folder.path, "docket.sql");
    const copies = `file:${join(folder.path, "contents")}`;
    const acknowledged = new Map<string, string>();
    let person: Person;
    {
      await using parts = await startParts();
      const settings = { ...parts.settings, ...secrets };
      await migrate(settings);
      await using mesh = await startProcesses(join(folder.path, "here"), settings);
      const anna = await signUp(mesh.url, "Anna");
      person = anna;
      const { workspace } = await anna.workspaces.createWorkspace({ name: "Drill" });
      const workspaceId = workspace?.id ?? "";
      for (let number = 0; number < 5; number += 1) {
        acknowledged.set(...(await addDocument(anna, workspaceId, `before ${number}`)));
      }
      const stop = new AbortController();
      let written = 0;
      const working = (async () => {
        for (; !stop.signal.aborted; written += 1) await addDocument(anna, workspaceId, `meanwhile ${written}`);
      })();
      await eventually(() => written > 2);
      const { words, environment } = asRoot(parts);
      const consistent = [
        "--single-transaction",
        "--quick",
        "--hex-blob",
        "--skip-lock-tables",
        "--databases",
        ...schemas,
      ];
      expect(await run("mariadb-dump", [...words, ...consistent], environment, { to: dump })).toEqual({
        code: 0,
        said: "",
      });
      const writtenAtDump = written;
      await eventually(() => written > writtenAtDump);
      const copied = await admin(["contents", "copy", copies], settings);
      expect([copied.code, copied.said]).toEqual([
        0,
        expect.stringMatching(/^\d+ pieces copied .*, 0 were there already\.\n$/),
      ]);
      stop.abort();
      await working;
      // On these parts, too, what operators do reaches those who run.
      const ben = await signUp(mesh.url, "Ben");
      expect(await admin(["users", "end-sessions", ben.email], settings)).toEqual({
        code: 0,
        said: "1 session has ended.\n",
      });
      await eventually(() =>
        ben.sessions.getSession({}).then(
          () => false,
          (error) => reasonOf(error) === Reason.SESSION_INVALID,
        ),
      );
      const again = await admin(["contents", "copy", copies, "--json"], settings);
      expect(JSON.parse(again.said)).toMatchObject({ faults: [], passed: expect.any(Number) });
    }

    await using elsewhere = await startParts();
    const settings: Record<string, string> = { ...elsewhere.settings, ...secrets };
    const { words, environment } = asRoot(elsewhere);
    expect(await run("mariadb", words, environment, { from: dump })).toEqual({ code: 0, said: "" });
    // What is in the copy and unknown to the dump came later; it is no harm.
    const { BLOB_URL: bucket = "" } = settings;
    const filled = await admin(["contents", "copy", bucket], { ...settings, BLOB_URL: copies });
    expect([filled.code, filled.said]).toEqual([0, expect.stringMatching(/pieces copied/)]);
    expect(await migrate(settings, "status")).not.toContain("pending");
    const verified = await admin(["verify"], settings);
    expect([verified.code, verified.said]).toEqual([
      0,
      expect.stringMatching(/^All \d+ versions and \d+ contents .* are whole\.\n$/),
    ]);
    // A bucket that does not let anybody in says nothing of what is in it.
    const shut = await admin(["verify"], { ...settings, AWS_SECRET_ACCESS_KEY: "another" });
    expect([shut.code, shut.said]).toEqual([1, expect.stringMatching(/^Not all contents could be read: [^\n]+\.\n$/)]);

    await using mesh = await startProcesses(join(folder.path, "there"), settings);
    const again = await signIn(mesh.url, person);
    for (const [id, sha256] of acknowledged) expect([id, await digestOverHttp(again, id, 1)]).toEqual([id, sha256]);
    const { workspaces } = await again.workspaces.listWorkspaces({});
    await addDocument(again, workspaces[0]?.id ?? "", "it goes on");
  }, 300_000);
});
