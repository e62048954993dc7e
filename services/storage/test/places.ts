// The place of the bytes as a test sees it from behind: what lies there, and how it comes to harm.

import { newId } from "@docket/runtime/ids";
import { blobPlaceOf, type StorageConfig } from "../config.ts";
import type { BlobDriver, PieceWriter } from "../drivers/driver.ts";
import { openDriver } from "../drivers/open.ts";

export interface TestPlace extends AsyncDisposable {
  /** Whether one process has it for itself. */
  readonly exclusive: boolean;
  /** The ids of all sealed pieces. */
  pieces(): Promise<string[]>;
  /** Changes one bit of a piece. */
  flipBit(id: string, at: number): Promise<void>;
  /** Leaves only its first bytes. */
  cut(id: string, length: number): Promise<void>;
  /** Removes it. */
  lose(id: string): Promise<void>;
  /** Makes a piece that nobody knows, and begins another one without an end. */
  litter(): Promise<void>;
}

/** Opens the place of a service beside it. */
export async function openTestPlace(config: StorageConfig): Promise<TestPlace> {
  const place = blobPlaceOf(config);
  const driver = await openDriver(place, { shared: true });
  const begun: PieceWriter[] = [];
  const change = async (id: string, work: (bytes: Buffer) => Buffer) => {
    const bytes = await whole(driver, id);
    await driver.remove(id);
    await put(driver, id, work(bytes));
  };
  return {
    exclusive: driver.exclusive,
    async pieces() {
      const ids: string[] = [];
      for await (const { id } of driver.list()) ids.push(id);
      return ids;
    },
    flipBit: (id, at) =>
      change(id, (bytes) => {
        bytes[at] = (bytes[at] ?? 0) ^ 4;
        return bytes;
      }),
    cut: (id, length) => change(id, (bytes) => bytes.subarray(0, length)),
    lose: (id) => driver.remove(id),
    async litter() {
      await put(driver, newId(), Buffer.from("x"));
      const unsealed = await driver.create(newId());
      // More than one part, so that it is begun where it goes in parts.
      begun.push(unsealed);
      await unsealed.write([Buffer.alloc(9 * 1024 * 1024)]);
    },
    async [Symbol.asyncDispose]() {
      for (const writer of begun) await writer.discard();
      await driver[Symbol.asyncDispose]();
    },
  };
}

async function whole(driver: BlobDriver, id: string): Promise<Buffer> {
  await using reader = await driver.open(id);
  const bytes = Buffer.alloc(64 * 1024 * 1024);
  return Buffer.from(bytes.subarray(0, await reader.read(bytes, 0)));
}

async function put(driver: BlobDriver, id: string, bytes: Uint8Array): Promise<void> {
  const writer = await driver.create(id);
  await writer.write([bytes]);
  await writer.seal();
}
