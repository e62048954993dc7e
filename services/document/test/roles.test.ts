import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { setTimeout as pause } from "node:timers/promises";
import { fromBinary } from "@bufbuild/protobuf";
import { ChangeKind, ChangeSchema } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { OperationState } from "@docket/contracts/gen/docket/document/v1/operation_pb.ts";
import { OperationService } from "@docket/contracts/gen/docket/document/v1/operation_service_pb.ts";
import { TaskService } from "@docket/contracts/gen/docket/document/v1/task_service_pb.ts";
import { readChanges } from "@docket/runtime/changelog/read";
import { eventually } from "@docket/runtime/testing/eventually";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { openBeside } from "./beside.ts";
import { at, reasonOf, startWorld } from "./world.ts";

/** A worker in a process of its own, which is killed at the end. */
async function startWorkerProcess(folder: string, daysAhead = 0): Promise<AsyncDisposable & { child: ChildProcess }> {
  const script = fileURLToPath(new URL("./worker_child.ts", import.meta.url));
  const child = spawn(process.execPath, ["--no-warnings", script, folder, String(daysAhead)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return {
    child,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** A server without workers, and its database. */
async function startServer() {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(await temporaryFolder());
  const world = parts.use(await startWorld({ folder: folder.path, role: "server" }));
  const db = parts.use(await openBeside(folder.path));
  const ann = await world.person("member");
  const running = parts.move();
  return {
    world,
    db,
    ann,
    folder: folder.path,
    async trashed(title: string): Promise<string> {
      const documentId = await world.document(ann, title);
      await world.documents.deleteDocument({ documentId }, ann.as);
      return documentId;
    },
    async told(kind: ChangeKind) {
      const all = await readChanges(db, world.workspaceId, 0, 10_000);
      return all.map(({ payload }) => fromBinary(ChangeSchema, payload)).filter((change) => change.kind === kind);
    },
    jobs: () => db.query.selectFrom("job").selectAll().where("unique_key", "!=", "periodic").execute(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

describe("a server and a worker of one service", () => {
  it("leave the work to the worker, in another process", async () => {
    await using it = await startServer();
    const operations = it.world.client(OperationService);
    const documentId = await it.trashed("Old");
    const { operation } = await it.world.documents.purgeDocument({ documentId }, it.ann.as);
    const operationId = operation?.id ?? "";
    const state = async () => (await operations.getOperation({ operationId }, it.ann.as)).operation?.state;
    expect(await state()).toBe(OperationState.PENDING);
    expect(await it.db.query.selectFrom("job").select(["kind", "state"]).execute()).toEqual([
      { kind: "purge", state: "pending" },
    ]);
    await using _ = await startWorkerProcess(it.folder);
    await eventually(async () => expect(await state()).toBe(OperationState.SUCCEEDED));
    // What comes later is picked up as well, without anybody telling the other process.
    const next = await it.trashed("Older");
    await it.world.documents.purgeDocument({ documentId: next }, it.ann.as);
    await eventually(async () => expect(await it.told(ChangeKind.DOCUMENT_PURGED)).toHaveLength(2));
  });

  it("go on when the worker is killed: another one takes what it held", async () => {
    await using it = await startServer();
    const documentId = await it.trashed("Old");
    await it.world.documents.purgeDocument({ documentId }, it.ann.as);
    // As a worker leaves it that dies after the claim.
    await it.db.query
      .updateTable("job")
      .set({ state: "running", attempts: 1, lease_token: 1, lease_until: Date.now() + 1_500 })
      .execute();
    await using _ = await startWorkerProcess(it.folder);
    await eventually(async () => expect(await it.told(ChangeKind.DOCUMENT_PURGED)).toMatchObject([{ documentId }]));
  });

  it("apply what the user service tells once, however many workers follow it", async () => {
    await using it = await startServer();
    const { users, workspaceId } = it.world;
    const options = { folder: it.folder, users, role: "worker" } as const;
    await using _ = await startWorld(options);
    await using __ = await startWorld(options);
    const names = ["Alfa", "Bravo", "Charlie"];
    for (const name of names) await it.world.document(it.ann, name);
    const rows = async () => [
      (await it.db.query.selectFrom("document").select("id").execute()).length,
      (await it.told(ChangeKind.WORKSPACE_DELETED)).length,
    ];
    expect(await rows()).toEqual([names.length, 0]);
    users.remove(workspaceId);
    await eventually(async () => expect(await rows()).toEqual([0, 1]));
    // Both have gone on from there: what is told next is applied by either.
    const ben = await it.world.person("member");
    const position = () => it.db.query.selectFrom("follower").select("position").executeTakeFirst();
    const before = await position();
    users.leave(ben, workspaceId);
    await eventually(async () => expect(await position()).not.toEqual(before));
    expect(await rows()).toEqual([0, 1]);
  });

  it("do everything once in effect, however often workers are killed in the middle of it", async () => {
    await using it = await startServer();
    const tasks = it.world.client(TaskService);
    const documents: string[] = [];
    const due: string[] = [];
    for (let n = 0; n < 40; n++) documents.push(await it.trashed(`Document ${n}`));
    for (let n = 0; n < 200; n++) {
      const place = at(it.world.workspaceId);
      const dueDate = { year: 2050, month: 6, day: 1 + (n % 28) };
      const { task } = await tasks.createTask({ place, title: `Task ${n}`, dueDate }, it.ann.as);
      due.push(task?.id ?? "");
    }
    const daysAhead = (new Date("2050-08-01").getTime() - Date.now()) / 86_400_000;
    for (const documentId of documents) {
      expect(await reasonOf(it.world.documents.purgeDocument({ documentId }, it.ann.as))).toBe("OK");
    }
    const periodic = it.db.query
      .updateTable("job")
      .set({ run_at: 1 })
      .where("unique_key", "=", "periodic")
      .where("state", "=", "pending");
    let cut = 0;
    for (let kills = 0; kills < 8; kills++) {
      await using worker = await startWorkerProcess(it.folder, daysAhead);
      await periodic.where("kind", "in", ["tell_due", "empty_trash"]).execute();
      // At no time in particular: that is what is tried.
      await pause(Math.random() * 400);
      await worker[Symbol.asyncDispose]();
      cut += (await it.db.query.selectFrom("job").select("id").where("state", "=", "running").execute()).length;
    }
    process.stderr.write(`  8 workers killed in the middle of ${cut} jobs\n`);
    await using _ = await startWorkerProcess(it.folder, daysAhead);
    const told = async (kind: ChangeKind) => (await it.told(kind)).map((change) => change.taskId ?? change.documentId);
    await eventually(
      async () => {
        await periodic.where("kind", "=", "tell_due").execute();
        expect(await it.jobs()).toEqual([]);
        expect((await told(ChangeKind.TASK_DUE)).sort()).toEqual([...due].sort());
        expect((await told(ChangeKind.DOCUMENT_PURGED)).sort()).toEqual([...documents].sort());
      },
      { timeoutMs: 60_000 },
    );
  }, 180_000);
});
