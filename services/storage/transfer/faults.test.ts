import { createHash, randomBytes } from "node:crypto";
import { systemClock } from "@docket/runtime/clock";
import { openDatabase } from "@docket/runtime/db/database";
import { createLogger } from "@docket/runtime/logger";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { testDatabaseUrl } from "@docket/runtime/testing/test_parts";
import { describe, expect, it } from "@jest/globals";
import { limitsOf, readConfig } from "../config.ts";
import { contiguousEnd } from "../domain/ranges.ts";
import { type BlobDriver, type PieceWriter, StoreFull } from "../drivers/driver.ts";
import { openFilesystem } from "../drivers/filesystem.ts";
import { entities } from "../store/entities.ts";
import { migrations } from "../store/migrations/index.ts";
import { piecesFrom, unknownPieces } from "../store/pieces.ts";
import { rangesOf } from "../store/upload_row.ts";
import { UploadStore } from "../store/uploads.ts";
import { ByteBudget } from "./budget.ts";
import { hashPieces } from "./hash_pieces.ts";
import { RunningDigests } from "./running_digest.ts";
import { UploadWatch } from "./watch.ts";
import { Writers } from "./writers.ts";

/** A disk whose n-th operation fails, for good or once. */
class FailingDriver implements BlobDriver {
  readonly exclusive = true;
  readonly gathers = false;
  operations = 0;
  failAt = Number.POSITIVE_INFINITY;
  fault: () => Error = () => Object.assign(new Error("input/output error"), { code: "EIO" });
  readonly #inner: BlobDriver;

  constructor(inner: BlobDriver) {
    this.#inner = inner;
  }

  step(): void {
    this.operations += 1;
    if (this.operations === this.failAt) throw this.fault();
  }

  async create(id: string): Promise<PieceWriter> {
    this.step();
    const writer = await this.#inner.create(id);
    const before = async <T>(work: () => Promise<T>) => {
      this.step();
      return await work();
    };
    return {
      write: (bytes) => before(() => writer.write(bytes)),
      seal: () => before(() => writer.seal()),
      discard: () => writer.discard(),
    };
  }

  open = (id: string) => this.#inner.open(id);
  remove = (id: string) => this.#inner.remove(id);
  list = () => this.#inner.list();
  discardUnsealed = (before: number) => this.#inner.discardUnsealed(before);
  free = async () => {
    this.step();
    return await this.#inner.free();
  };
  async [Symbol.asyncDispose](): Promise<void> {}
}

async function workbench() {
  const parts = new AsyncDisposableStack();
  const folder = parts.use(await temporaryFolder());
  const limits = { ...limitsOf(readConfig({})), diskFloorBytes: 0 };
  const db = parts.use(
    await openDatabase({
      url: await testDatabaseUrl(folder.path),
      migrate: true,
      name: "storage",
      entities,
      migrations,
      logger: createLogger({ level: "silent" }),
    }),
  );
  const driver = new FailingDriver(parts.use(await openFilesystem(`${folder.path}/blobs`)));
  const uploads = new UploadStore(db, new UploadWatch(), systemClock, limits);
  const budget = new ByteBudget(4 << 20);
  const writers = new Writers({ driver, uploads, budget, digests: new RunningDigests(), clock: systemClock });
  const create = (size: number) =>
    db.transaction((tx) =>
      uploads.create(tx, {
        owner: "person:anna",
        workspaceId: "workspace",
        name: "x",
        mediaType: "",
        size,
        declaredSha256: null,
        holderLimits: { quotaBytes: 1e12, maxFileBytes: 1e12 },
      }),
    );
  const write = (uploadId: string, offset: number, bytes: Buffer, sum?: Buffer) =>
    writers.write(
      {
        uploadId,
        offset,
        length: undefined,
        size: undefined,
        append: false,
        checksum: sum && { algorithm: "sha256", value: sum },
      },
      async (session) => {
        for (let at = 0; at < bytes.length; at += 100_000) await session.push(bytes.subarray(at, at + 100_000));
        return await session.finish();
      },
    );
  const offsetOf = async (id: string) => contiguousEnd(rangesOf(await uploads.get(id)));
  const filesWithoutRow = async () => {
    const ids: string[] = [];
    for await (const { id } of driver.list()) ids.push(id);
    return await unknownPieces(db, ids);
  };
  return {
    db,
    driver,
    budget,
    writers,
    create,
    write,
    offsetOf,
    filesWithoutRow,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

const bytes = randomBytes(2_500_000);

describe("a disk that fails at any operation", () => {
  it.each([false, true])(
    "loses nothing acknowledged, leaves nothing behind, and a retry succeeds (checksum: %s)",
    async (checked) => {
      await using bench = await workbench();
      const { driver } = bench;
      const parts = [bytes.subarray(0, 1_000_000), bytes.subarray(1_000_000)];
      const upload = async (id: string) => {
        let offset = await bench.offsetOf(id);
        for (const part of parts) {
          const start = parts.indexOf(part) * 1_000_000;
          if (offset > start && offset < start + part.length && checked)
            throw new Error("a checked part is there in half");
          const rest = part.subarray(Math.max(0, offset - start));
          if (rest.length === 0) continue;
          const sum = checked ? createHash("sha256").update(rest).digest() : undefined;
          await bench.write(id, Math.max(offset, start), rest, sum);
          offset = start + part.length;
        }
      };
      const counted = await bench.create(bytes.length);
      driver.operations = 0;
      await upload(counted.id);
      const { operations } = driver;
      expect(operations).toBeGreaterThan(5);
      for (let failAt = 1; failAt <= operations; failAt += 1) {
        const { id } = await bench.create(bytes.length);
        driver.operations = 0;
        driver.failAt = failAt;
        const failed = await upload(id).then(
          () => undefined,
          (error: unknown) => error,
        );
        // The number of writes varies with the disk's speed; the last ones may not come.
        if (driver.operations >= failAt) expect(failed).toBeDefined();
        driver.failAt = Number.POSITIVE_INFINITY;
        expect(await bench.filesWithoutRow()).toEqual([]);
        expect(bench.budget.used).toBe(0);
        await upload(id);
        expect(await bench.offsetOf(id)).toBe(bytes.length);
        const pieces = await piecesFrom(bench.db, id, 0, 100);
        expect(await hashPieces(driver, pieces)).toBe(createHash("sha256").update(bytes).digest("hex"));
      }
      expect(bench.writers.arriving().writes).toBe(0);
    },
    30_000,
  );

  it("says that it is full, and keeps what came before", async () => {
    await using bench = await workbench();
    const { id } = await bench.create(bytes.length);
    await bench.write(id, 0, bytes.subarray(0, 500_000));
    bench.driver.fault = () => new StoreFull("full");
    bench.driver.operations = 0;
    bench.driver.failAt = 4;
    const error = await bench.write(id, 500_000, bytes.subarray(500_000)).catch((fault: unknown) => fault);
    expect((error as Error).message).toMatch(/disk is nearly full/);
    expect(await bench.offsetOf(id)).toBeGreaterThanOrEqual(500_000);
  });
});
