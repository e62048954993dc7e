// What operators do from the command line, in a process of its own, while Docket runs and while it does not.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "@jest/globals";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { reasonOf } from "@docket/runtime/errors";
import { eventually } from "@docket/runtime/testing/eventually";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { runAdmin } from "./admin/run.ts";
import { madeFile } from "./bytes.ts";
import { startWhole } from "./kill.ts";
import { clientsOf, edgeTransport, type Person, signIn, signUp } from "./person.ts";
import { upload } from "./transfer.ts";

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `npm run admin -- <words>` on a data folder. */
async function admin(dataDir: string, words: readonly string[], typed?: string): Promise<Ended> {
  const main = fileURLToPath(new URL("admin.ts", import.meta.url));
  const child = spawn(process.execPath, ["--no-warnings", main, ...words], {
    env: { ...process.env, DOCKET_DATA_DIR: dataDir },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const ended = { out: "", err: "" };
  child.stdout.on("data", (chunk) => {
    ended.out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    ended.err += chunk;
  });
  child.stdin.end(typed ?? "");
  const [code] = await once(child, "close");
  return { code, ...ended };
}

/** The same in this process, which is another one than Docket's too. */
async function said(words: readonly string[], environment: Record<string, string>, typed = ""): Promise<Ended> {
  const ended = { out: "", err: "" };
  const code = await runAdmin({
    words,
    environment,
    out: (line) => {
      ended.out += `${line}\n`;
    },
    err: (line) => {
      ended.err += `${line}\n`;
    },
    say: () => undefined,
    readSecret: async () => typed,
  });
  return { code, ...ended };
}

function isSignedIn(person: Person): Promise<boolean> {
  return person.sessions.getSession({}).then(
    () => true,
    (error) => {
      if (reasonOf(error) !== Reason.SESSION_INVALID) throw error;
      return false;
    },
  );
}

describe("npm run admin", () => {
  it("keeps people out and lets them in again while Docket runs, as the RPCs do", async () => {
    await using folder = await temporaryFolder();
    const environment = { DOCKET_DATA_DIR: folder.path };
    const whole = await startWhole(folder.path);
    try {
      const anna = await signUp(whole.url, "Anna");
      const ben = await signUp(whole.url, "Ben");
      const { workspace } = await ben.workspaces.createWorkspace({ name: "Ben's" });
      expect(await isSignedIn(ben)).toBe(true);

      // The only owner of a workspace cannot be disabled, by whichever way.
      const owner = await said(["users", "disable", ben.email], environment);
      expect([owner.code, owner.out]).toEqual([1, ""]);
      expect(owner.err).toMatch(/ alone owns "Ben's": [^\n]+ users reset-password [^\n]+\n$/);
      await ben.workspaces.deleteWorkspace({ workspaceId: workspace?.id ?? "" });

      const watching = ben.changes.watchChanges({})[Symbol.asyncIterator]();
      const ending = (async () => {
        for (;;) if ((await watching.next()).done) return "ended";
      })().catch((error) => reasonOf(error) ?? ConnectError.from(error).code);
      expect(await said(["users", "disable", ben.email.toUpperCase()], environment)).toEqual({
        code: 0,
        out: `${ben.email} is disabled.\n`,
        err: "",
      });
      await eventually(async () => !(await isSignedIn(ben)), { timeoutMs: 5_000, intervalMs: 50 });
      expect(await ending).toBe(Reason.SESSION_INVALID);
      await expect(signIn(whole.url, ben)).rejects.toThrow("disabled");
      expect((await said(["users", "enable", ben.email], environment)).code).toBe(0);
      const again = await signIn(whole.url, ben);

      expect((await said(["users", "end-sessions", ben.email], environment)).out).toBe("1 session has ended.\n");
      await eventually(async () => !(await isSignedIn(again)), { timeoutMs: 5_000, intervalMs: 50 });

      const typed = "a pass phrase from a pipe";
      expect(
        (await admin(folder.path, ["users", "reset-password", anna.email, "--password-stdin"], `${typed}\n`)).code,
      ).toBe(0);
      await eventually(async () => !(await isSignedIn(anna)), { timeoutMs: 5_000, intervalMs: 50 });
      const { id } = await signIn(whole.url, { email: anna.email, password: typed });
      expect(id).toBe(anna.id);

      const { out } = await said(["users", "reset-password", ben.email, "--json"], environment);
      const { link } = JSON.parse(out) as { link: string };
      const secret = link.split("/reset-password/")[1] ?? "";
      await clientsOf(edgeTransport(whole.url)).sessions.resetPassword({ secret, newPassword: "by the link, once" });
      await signIn(whole.url, { email: ben.email, password: "by the link, once" });

      const last = await said(["users", "demote", anna.email], environment);
      expect([last.code, last.err]).toEqual([1, expect.stringContaining("without an administrator")]);
      expect((await said(["users", "promote", ben.email], environment)).code).toBe(0);
      expect((await said(["users", "demote", anna.email], environment)).code).toBe(0);
      const { out: list } = await said(["users", "list"], environment);
      expect(list.split("\n").filter((line) => line.includes("administrator"))).toEqual([
        expect.stringContaining(ben.email),
      ]);
    } finally {
      await whole.end("SIGTERM");
    }
  });

  it("makes the first administrator before the first start, so that no stranger becomes it", async () => {
    await using folder = await temporaryFolder();
    const environment = { DOCKET_DATA_DIR: folder.path };
    const first = ["users", "create", "root@example.com", "--name", "Root", "--password-stdin"];
    expect(await said(first, environment, "short")).toMatchObject({
      code: 1,
      err: "A password has 8 to 1024 characters.\n",
    });
    expect(await said(first, environment, "correct horse battery")).toMatchObject({ code: 0, err: "" });
    expect(await said(first, environment, "correct horse battery")).toMatchObject({
      code: 1,
      err: "root@example.com has an account already; to make it an administrator: users promote root@example.com\n",
    });
    const whole = await startWhole(folder.path);
    try {
      const stranger = await signUp(whole.url, "Stranger");
      await expect(stranger.users.setAdministrator({ userId: stranger.id, administrator: true })).rejects.toThrow();
      const root = await signIn(whole.url, { email: "root@example.com", password: "correct horse battery" });
      await root.users.setAdministrator({ userId: stranger.id, administrator: true });
    } finally {
      await whole.end("SIGTERM");
    }
  });

  it("shows what has failed for good, runs it again, and discards it", async () => {
    await using folder = await temporaryFolder();
    const environment = { DOCKET_DATA_DIR: folder.path };
    // Nobody listens there, so that mail fails.
    const whole = await startWhole(folder.path, { SMTP_URL: "smtp://127.0.0.1:9" });
    try {
      const anna = await signUp(whole.url, "Anna");
      const ask = () => clientsOf(edgeTransport(whole.url)).sessions.requestPasswordReset({ email: anna.email });
      await ask();
      using db = new DatabaseSync(join(folder.path, "user.db"), { timeout: 5000 });
      // As after a day of attempts.
      const bury = () =>
        db
          .prepare(
            "UPDATE job SET state = 'dead', attempts = 25 WHERE kind = 'mail.reset' AND state = 'pending' AND last_error IS NOT NULL",
          )
          .run().changes;
      await eventually(() => bury() === 1);

      const { out } = await said(["jobs", "list", "user"], environment);
      expect(out).toMatch(
        /^SERVICE +ID +KIND +ATTEMPTS +AGE +ERROR\nuser +\S{36} +mail\.reset +25 of 25 +\d+s +.*ECONNREFUSED/,
      );
      const listed = JSON.parse((await said(["jobs", "list", "--json"], environment)).out) as { id: string }[];
      const [job] = listed;
      expect(listed).toEqual([expect.objectContaining({ service: "user", kind: "mail.reset", state: "dead" })]);
      expect((await said(["jobs", "depth"], environment)).out).toMatch(/^user +mail\.reset +dead +1 /m);

      // The process that runs takes it up by itself, and fails again.
      expect((await said(["jobs", "rerun", "user", job?.id ?? ""], environment)).code).toBe(0);
      const attempts = () =>
        db.prepare("SELECT attempts, state FROM job WHERE id = ?").get(job?.id ?? "") as { attempts: number };
      await eventually(() => attempts().attempts === 1);
      expect((await said(["jobs", "rerun", "user", job?.id ?? ""], environment)).err).toBe(
        `user has no dead job ${job?.id}.\n`,
      );
      await eventually(() => bury() === 1);
      expect((await said(["jobs", "discard", "user", "--all", "--kind", "mail.reset"], environment)).out).toBe(
        "1 job is gone.\n",
      );
      expect((await said(["jobs", "list"], environment)).out).toBe("There are no dead jobs.\n");
    } finally {
      await whole.end("SIGTERM");
    }
  });

  it("says which contents are damaged and which versions have none", async () => {
    await using folder = await temporaryFolder();
    const environment = { DOCKET_DATA_DIR: folder.path };
    const whole = await startWhole(folder.path);
    try {
      const anna = await signUp(whole.url, "Anna");
      const { workspace } = await anna.workspaces.createWorkspace({ name: "Verified" });
      const workspaceId = workspace?.id ?? "";
      const ids: string[] = [];
      for (const seed of ["one", "two", "three"]) {
        const uploadId = await upload(anna, { workspaceId, name: seed, file: madeFile(seed, 100_000) });
        const { document } = await anna.documents.createDocument({
          parent: { case: "workspaceId", value: workspaceId },
          uploadId,
        });
        ids.push(document?.id ?? "");
      }
      expect(await said(["verify"], environment)).toEqual({
        code: 0,
        out: "All 3 versions and 3 contents (0.30 MB) are whole.\n",
        err: "",
      });

      const pieces = join(folder.path, "blobs/pieces");
      const files = (await readdir(pieces, { recursive: true, withFileTypes: true })).filter((one) => one.isFile());
      await writeFile(join(files[0]?.parentPath ?? "", files[0]?.name ?? ""), Buffer.alloc(100_000));
      await rm(join(files[1]?.parentPath ?? "", files[1]?.name ?? ""));
      using db = new DatabaseSync(join(folder.path, "storage.db"), { timeout: 5000 });
      db.exec("DELETE FROM blob_reference WHERE version_id = (SELECT min(version_id) FROM blob_reference)");

      const { code, out } = await said(["verify", "--json"], environment);
      const found = JSON.parse(out) as {
        dangling: { documentId: string; what: string }[];
        damaged: { what: string }[];
      };
      expect(code).toBe(1);
      expect(found.dangling).toEqual([
        expect.objectContaining({ documentId: ids[0], what: "storage keeps no content for it" }),
      ]);
      const whats = found.damaged.map(({ what }) => what);
      expect(whats).toHaveLength(2);
      expect(whats).toContainEqual(expect.stringContaining(`piece ${files[0]?.name} is damaged`));
      expect(whats).toContainEqual(`piece ${files[1]?.name} is missing`);
    } finally {
      await whole.end("SIGTERM");
    }
  });
});

describe("a command that is not understood", () => {
  it.each([
    [["frob"], 'There is no command "frob".'],
    [["users", "frob"], 'There is no command "users frob": users list,'],
    [["users", "disable"], "Write: users disable <address>."],
    [["users", "disable", "a", "b"], "Write: users disable <address>."],
    [["users", "disable", "a", "--force"], "Unknown option '--force'. Write: users disable <address>."],
    [["jobs", "list", "gateway"], 'There is no service "gateway" with a database: user, document, storage'],
    [["jobs", "list", "--state", "asleep"], 'There is no state "asleep"'],
    [["jobs", "list", "--limit", "many"], "--limit takes a whole number"],
    [["jobs", "rerun", "user"], "Name the jobs by their ids, or say --all."],
    [["jobs", "rerun", "user", "x", "--all"], "Name the jobs by their ids, or say --all."],
  ])("%j says in a sentence what to write, and ends with 2", async (words, sentence) => {
    await using folder = await temporaryFolder();
    const { code, out, err } = await said(words, { DOCKET_DATA_DIR: folder.path });
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(sentence);
    expect(err.trimEnd()).not.toContain("\n");
    expect(await readdir(folder.path)).toEqual([]);
  });

  it.each([[["jobs", "depth"]], [["verify"]]])("%j on the schema of one service says so", async (words) => {
    const { code, err } = await said(words, { DATABASE_URL: "mysql://docket_user:secret@127.0.0.1:1/docket_user" });
    expect([code, err]).toEqual([2, expect.stringContaining("DATABASE_URL names the schema of one service:")]);
    expect(err).not.toContain("secret");
  });

  it("is told from one that fails, which makes no database where there is none", async () => {
    await using folder = await temporaryFolder();
    const { code, err } = await said(["users", "list"], { DOCKET_DATA_DIR: folder.path });
    expect([code, err]).toEqual([1, expect.stringContaining("There is no database")]);
    expect((await said(["users", "list"], { DATABASE_URL: "oracle://x" })).err).toContain("DATABASE_URL");
    expect(await readdir(folder.path)).toEqual([]);
    const migrations = await said(["migrations"], { DOCKET_DATA_DIR: folder.path });
    expect([migrations.code, migrations.out]).toEqual([
      1,
      expect.stringMatching(/^user +refused +There is no database/m),
    ]);
  });

  it("is no call for help, which lists every command", async () => {
    const { code, out } = await said(["--help"], {});
    expect(code).toBe(0);
    for (const name of ["users create", "users end-sessions", "jobs discard", "migrations", "verify"]) {
      expect(out).toContain(`\n${name}`);
    }
    expect((await said(["jobs", "list", "--help"], {})).out).toContain("--state dead|pending|running");
    expect((await said([], {})).code).toBe(2);
  });
});
