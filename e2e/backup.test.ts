// Backups of an installation that works, restored and compared with what was acknowledged.

import { createHash } from "node:crypto";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { StartError } from "@docket/runtime/errors";
import { eventually } from "@docket/runtime/testing/eventually";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { makeBackup } from "./backup/make.ts";
import { openBackup } from "./backup/manifest.ts";
import { restoreBackup } from "./backup/restore.ts";
import { verifyBackup } from "./backup/verify.ts";
import { madeFile } from "./bytes.ts";
import { startWhole, type Whole } from "./kill.ts";
import { type Person, signIn, signUp } from "./person.ts";
import { digestOverHttp, upload } from "./transfer.ts";

/** Somebody who works, and what was acknowledged. */
interface Work {
  readonly person: Person;
  readonly workspaceId: string;
  /** Digests by document. */
  readonly documents: Map<string, string>;
}

async function begin(whole: Whole, documents = 3): Promise<Work> {
  const person = await signUp(whole.url, "Anna");
  const { workspace } = await person.workspaces.createWorkspace({ name: "Backed up" });
  const work = { person, workspaceId: workspace?.id ?? "", documents: new Map() };
  for (let number = 0; number < documents; number += 1) await addDocument(work, `first ${number}`, 200_000);
  return work;
}

async function addDocument({ person, workspaceId, documents }: Work, seed: string, size: number): Promise<string> {
  const file = madeFile(seed, size);
  const uploadId = await upload(person, { workspaceId, name: `${seed}.bin`, file });
  const { document } = await person.documents.createDocument({
    parent: { case: "workspaceId", value: workspaceId },
    uploadId,
    title: seed,
  });
  const id = document?.id ?? "";
  documents.set(id, file.sha256().toString("hex"));
  return id;
}

/** Adds documents, and purges some of them, until the signal. */
async function keepWorking(work: Work, name: string, signal: AbortSignal): Promise<void> {
  for (let number = 0; !signal.aborted; number += 1) {
    const id = await addDocument(work, `${name} ${number}`, 10_000 + number * 997);
    if (number % 3 !== 0) continue;
    work.documents.delete(id);
    const { document } = await work.person.documents.deleteDocument({ documentId: id });
    await work.person.documents.purgeDocument({ documentId: document?.id ?? id });
  }
}

/** Compares what a restored installation gives with what was acknowledged. */
async function expectAll(url: string, { person, documents }: Pick<Work, "person" | "documents">): Promise<void> {
  const again = await signIn(url, person);
  for (const [id, sha256] of documents) expect([id, await digestOverHttp(again, id, 1)]).toEqual([id, sha256]);
}

function environmentOf(dataDir: string) {
  return { DOCKET_DATA_DIR: dataDir };
}

function runBackup(dataDir: string, ...words: string[]): { child: ChildProcess; said: () => string } {
  const main = fileURLToPath(new URL("backup.ts", import.meta.url));
  const child = spawn(process.execPath, ["--no-warnings", main, ...words], {
    env: { ...process.env, ...environmentOf(dataDir) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => {
      said += chunk;
    });
  }
  return { child, said: () => said };
}

describe("a backup", () => {
  it("made while people work and contents are collected shows everything acknowledged before, with nothing dangling", async () => {
    await using folder = await temporaryFolder();
    const data = join(folder.path, "data");
    // What nobody needs goes at once, so that contents vanish while they are copied.
    const settings = { BLOB_GRACE: "0s", STORAGE_JANITOR_INTERVAL: "100ms" };
    const whole = await startWhole(data, settings);
    const stop = new AbortController();
    let work: Work;
    let before: Map<string, string>;
    try {
      work = await begin(whole);
      const working = ["one", "two", "three"].map((name) => keepWorking(work, name, stop.signal));
      await eventually(() => work.documents.size > 8);
      before = new Map(work.documents);
      const first = await makeBackup({ environment: environmentOf(data), target: join(folder.path, "first") });
      expect(first.findings?.sound).toBe(true);
      expect(first.manifest.counts.documents).toBeGreaterThanOrEqual(before.size);
      const second = await makeBackup({
        environment: environmentOf(data),
        target: join(folder.path, "second"),
        base: join(folder.path, "first"),
      });
      expect(second.linked).toBeGreaterThanOrEqual(before.size);
      stop.abort();
      await Promise.all(working);
    } finally {
      stop.abort();
      await whole.end("SIGTERM");
    }
    for (const name of ["first", "second"]) {
      const restored = join(folder.path, `restored ${name}`);
      const { findings } = await restoreBackup({ backup: join(folder.path, name), folder: restored });
      expect([findings.sound, findings.dangling, findings.damaged]).toEqual([true, [], []]);
      const again = await startWhole(restored, settings);
      try {
        await expectAll(again.url, { person: work.person, documents: before });
        // It goes on from there.
        await addDocument({ ...work, person: await signIn(again.url, work.person) }, `after ${name}`, 1000);
      } finally {
        await again.end("SIGTERM");
      }
    }
  }, 120_000);

  it("is of what its owner alone may read, can be checked by others' tools, and stays as it is when it is verified", async () => {
    await using folder = await temporaryFolder();
    const data = join(folder.path, "data");
    const whole = await startWhole(data);
    await begin(whole, 1).finally(() => whole.end("SIGTERM"));
    const target = join(folder.path, "backup");
    await makeBackup({ environment: environmentOf(data), target });
    if (process.platform !== "win32") {
      const secret = ["manifest.json", "data/user.db", "data/user-secret.key", "data/integration-secret.key"];
      for (const path of secret) expect([path, (await stat(join(target, path))).mode & 0o077]).toEqual([path, 0]);
      expect((await stat(target)).mode & 0o077).toBe(0);
    }
    expect(await readFile(join(target, "files.sha256"), "utf8")).toMatch(/^([0-9a-f]{64} {2}\S+\n)+$/);
    const listed = await readdir(target, { recursive: true });
    expect((await verifyBackup(await openBackup(target))).sound).toBe(true);
    expect(await readdir(target, { recursive: true })).toEqual(listed);
    expect(listed.filter((path) => /lock\.db|incoming|-wal|-shm|mesh/.test(path))).toEqual([]);

    await expect(makeBackup({ environment: environmentOf(data), target })).rejects.toThrow("something at");
    await appendFile(join(target, "data/storage.db"), "x");
    await expect(verifyBackup(await openBackup(target))).rejects.toThrow("data/storage.db is not what was written");
    await rm(join(target, "data/storage.db"));
    await expect(verifyBackup(await openBackup(target))).rejects.toThrow("data/storage.db is missing");
    const into = join(folder.path, "into");
    await expect(restoreBackup({ backup: target, folder: into })).rejects.toThrow("data/storage.db is missing");
    expect(await readdir(folder.path)).toEqual(["backup", "data"]);
  });

  it("that is killed leaves nothing under its name, and the next one clears up", async () => {
    await using folder = await temporaryFolder();
    const data = join(folder.path, "data");
    const backups = join(folder.path, "backups");
    const whole = await startWhole(data);
    try {
      await begin(whole, 6);
      const { child } = runBackup(data, join(backups, "monday"));
      const exit = once(child, "exit");
      await eventually(async () => (await readdir(backups).catch(() => [])).length > 0, { intervalMs: 1 });
      child.kill("SIGKILL");
      await exit;
      const left = await readdir(backups);
      expect(left).toEqual([expect.stringMatching(/^\.monday\.part-/)]);

      const next = runBackup(data, join(backups, "tuesday"));
      expect([await once(next.child, "exit"), next.said()]).toEqual([[0, null], expect.stringContaining("are whole")]);
      expect(await readdir(backups)).toEqual(["tuesday"]);
    } finally {
      await whole.end("SIGTERM");
    }
  });

  it("of a store that has lost a content says which, keeps all others, and fails loudly", async () => {
    await using folder = await temporaryFolder();
    const data = join(folder.path, "data");
    const whole = await startWhole(data);
    const work = await begin(whole).finally(() => whole.end("SIGTERM"));
    const pieces = (await readdir(join(data, "blobs/pieces"), { recursive: true, withFileTypes: true })).filter((one) =>
      one.isFile(),
    );
    expect(pieces).toHaveLength(3);
    const [lost, spoilt] = pieces;
    await rm(join(lost?.parentPath ?? "", lost?.name ?? ""));
    await writeFile(join(spoilt?.parentPath ?? "", spoilt?.name ?? ""), "not what was stored");

    const target = join(folder.path, "backup");
    const { child, said } = runBackup(data, target);
    expect(await once(child, "exit")).toEqual([1, null]);
    expect(said()).toContain("2 pieces were damaged or lost in the store already.");
    const { manifest } = await openBackup(target);
    expect([...manifest.damagedPieces].sort()).toEqual([lost?.name, spoilt?.name].sort());

    const restored = join(folder.path, "restored");
    const { findings } = await restoreBackup({ backup: target, folder: restored });
    expect([findings.versions, findings.damaged.length]).toEqual([work.documents.size, 2]);
  });
});

describe("a restore", () => {
  it("changes nothing in a folder that holds something, and understands nothing but a backup", async () => {
    await using folder = await temporaryFolder();
    const used = join(folder.path, "used");
    await using _ = await temporaryFolder();
    await writeFile(used, "a file");
    await expect(restoreBackup({ backup: folder.path, folder: used })).rejects.toThrow("it is a file");
    await expect(restoreBackup({ backup: folder.path, folder: folder.path })).rejects.toThrow("is not empty");
    await expect(restoreBackup({ backup: folder.path, folder: join(folder.path, "new") })).rejects.toThrow(
      "There is no backup in",
    );
    expect(await readdir(folder.path)).toEqual(["used"]);
  });

  it("says that a manifest is damaged, whatever it holds", async () => {
    await using folder = await temporaryFolder();
    const target = join(folder.path, "new");
    const manifest = join(folder.path, "manifest.json");
    for (const text of ["{", "null", "7", "[]", '{"format":1}', '{"format":1,"files":null}']) {
      await writeFile(manifest, text);
      await expect(restoreBackup({ backup: folder.path, folder: target })).rejects.toThrow(StartError);
    }
    // A list that was cut, with a manifest that knows of it.
    const sha256 = createHash("sha256").update("").digest("hex");
    await writeFile(join(folder.path, "files.sha256"), "");
    const files = { sha256, count: 0, bytes: 0 };
    await writeFile(manifest, JSON.stringify({ format: 1, files, migrations: { user: "a" }, damagedPieces: [] }));
    await expect(restoreBackup({ backup: folder.path, folder: target })).rejects.toThrow("files.sha256 lacks user.db");
    expect((await readdir(folder.path)).sort()).toEqual(["files.sha256", "manifest.json"]);
  });
});

describe("what is kept elsewhere", () => {
  it.each([
    [{ DATABASE_URL: "mysql://docket:secret@127.0.0.1:3306/docket_{service}" }, "DATABASE_URL names a server"],
    [{}, "There is nothing to back up"],
  ])("is not backed up by halves", async (settings, sentence) => {
    await using folder = await temporaryFolder();
    const environment = { ...environmentOf(folder.path), ...settings };
    const target = join(folder.path, "backup");
    await expect(makeBackup({ environment, target })).rejects.toThrow(sentence);
    expect(await readdir(folder.path)).toEqual([]);
  });
});
