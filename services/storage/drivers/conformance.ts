// What every driver promises, as tests. A driver's own test file calls describeDriver with a way to open it on an empty
// place, and to open the same place once more.

import { randomBytes, randomUUID } from "node:crypto";
import { eventually } from "@docket/runtime/testing/eventually";
import { describe, expect, it } from "@jest/globals";
import type { BlobDriver, PieceInfo } from "./driver.ts";

/** An empty place for bytes; `reopen` opens it again as after a restart. */
export interface Place extends AsyncDisposable {
  readonly driver: BlobDriver;
  reopen(): Promise<BlobDriver>;
}

/** Declares the suite for one driver. */
export function describeDriver(name: string, openPlace: () => Promise<Place>): void {
  describe(`the ${name} driver`, () => {
    it("gives back what was sealed, whole and from any place", async () => {
      await using place = await openPlace();
      const bytes = randomBytes(300_000);
      const id = await put(place.driver, bytes);
      expect((await get(place.driver, id, 0, bytes.length)).equals(bytes)).toBe(true);
      for (const [from, length] of [
        [0, 1],
        [1, 65_536],
        [65_535, 2],
        [299_999, 1],
        [150_000, 150_000],
      ] as const) {
        expect((await get(place.driver, id, from, length)).equals(bytes.subarray(from, from + length))).toBe(true);
      }
    });

    it("answers fewer bytes only at the end of a piece", async () => {
      await using place = await openPlace();
      const id = await put(place.driver, Buffer.from("hello"));
      await using reader = await place.driver.open(id);
      const target = Buffer.alloc(10, "-");
      expect(await reader.read(target, 3)).toBe(2);
      expect(target.toString()).toBe("lo--------");
      expect(await reader.read(target, 5)).toBe(0);
      expect(await reader.read(target, 500)).toBe(0);
    });

    it("keeps the order of buffers of any sizes", async () => {
      await using place = await openPlace();
      const parts = Array.from({ length: 200 }, (_, index) => randomBytes((index * 37) % 5000));
      const id = randomUUID();
      const writer = await place.driver.create(id);
      for (let from = 0; from < parts.length; from += 7) await writer.write(parts.slice(from, from + 7));
      await writer.seal();
      const whole = Buffer.concat(parts);
      expect((await get(place.driver, id, 0, whole.length)).equals(whole)).toBe(true);
    });

    it("keeps an empty piece", async () => {
      await using place = await openPlace();
      const id = await put(place.driver, Buffer.alloc(0));
      expect((await get(place.driver, id, 0, 1)).equals(Buffer.alloc(0))).toBe(true);
    });

    it("shows a piece to nobody before it is sealed", async () => {
      await using place = await openPlace();
      const id = randomUUID();
      const writer = await place.driver.create(id);
      await writer.write([Buffer.from("half")]);
      await expect(get(place.driver, id, 0, 1)).rejects.toMatchObject({ code: "PIECE_MISSING" });
      expect(await all(place.driver)).toEqual([]);
      await writer.seal();
      expect((await all(place.driver)).map((piece) => piece.id)).toEqual([id]);
    });

    it("leaves nothing of a piece that was given up", async () => {
      await using place = await openPlace();
      const id = randomUUID();
      const writer = await place.driver.create(id);
      await writer.write([Buffer.from("half")]);
      await writer.discard();
      await expect(get(place.driver, id, 0, 1)).rejects.toMatchObject({ code: "PIECE_MISSING" });
      expect(await place.driver.discardUnsealed(later())).toBe(0);
    });

    it("leaves nothing of a large piece that was given up while it was on its way", async () => {
      await using place = await openPlace();
      const id = randomUUID();
      const writer = await place.driver.create(id);
      await writer.write([large()]);
      await writer.discard();
      await expect(get(place.driver, id, 0, 1)).rejects.toMatchObject({ code: "PIECE_MISSING" });
      expect(await place.driver.discardUnsealed(later())).toBe(0);
      expect(await all(place.driver)).toEqual([]);
    });

    it("keeps a piece of many megabytes, and gives it in any order", async () => {
      await using place = await openPlace();
      const bytes = large();
      const id = randomUUID();
      const writer = await place.driver.create(id, { expected: bytes.length });
      for (let from = 0; from < bytes.length; from += 1_000_003) {
        await writer.write([bytes.subarray(from, from + 1_000_003)]);
      }
      await writer.seal();
      await using reader = await place.driver.open(id);
      const read = async (from: number, length: number) => {
        const target = Buffer.alloc(length);
        const got = target.subarray(0, await reader.read(target, from));
        return got.equals(bytes.subarray(from, from + length));
      };
      const portion = 524_288;
      for (let from = 0; from < bytes.length; from += portion) expect(await read(from, portion)).toBe(true);
      expect(await read(bytes.length - 10, 1000)).toBe(true);
      const places = Array.from({ length: 12 }, (_, index) => (index * 7_000_001) % bytes.length);
      expect(await Promise.all(places.map((from) => read(from, 300_000)))).toEqual(places.map(() => true));
    });

    it("keeps a sealed piece that is given up afterwards", async () => {
      await using place = await openPlace();
      const id = randomUUID();
      const writer = await place.driver.create(id);
      await writer.write([Buffer.from("whole")]);
      await writer.seal();
      await writer.discard();
      expect((await get(place.driver, id, 0, 5)).equals(Buffer.from("whole"))).toBe(true);
    });

    it("keeps sealed pieces over a restart and forgets the others", async () => {
      await using place = await openPlace();
      const id = await put(place.driver, Buffer.from("kept"));
      const half = await place.driver.create(randomUUID());
      await half.write([large()]);
      await using again = await place.reopen();
      // Where it is sent in parts, the first of them may still be on its way, and arrive behind the first look.
      await eventually(async () => expect(await again.discardUnsealed(later())).toBe(1));
      await eventually(async () => expect(await again.discardUnsealed(later())).toBe(0));
      expect((await get(again, id, 0, 4)).equals(Buffer.from("kept"))).toBe(true);
      expect((await all(again)).map((piece) => piece.id)).toEqual([id]);
      await half.discard();
    });

    it("removes a piece, and does not mind one that is not there", async () => {
      await using place = await openPlace();
      const id = await put(place.driver, Buffer.from("gone"));
      await place.driver.remove(id);
      await place.driver.remove(id);
      await expect(get(place.driver, id, 0, 1)).rejects.toMatchObject({ code: "PIECE_MISSING" });
    });

    it("lists pieces with size and time", async () => {
      await using place = await openPlace();
      const before = Date.now() - 5000;
      const sizes = [0, 1, 70_000];
      const ids = await Promise.all(sizes.map((size) => put(place.driver, randomBytes(size))));
      const listed = await all(place.driver);
      expect(listed.map(({ id, size }) => [id, size]).sort()).toEqual(
        ids.map((id, index) => [id, sizes[index]]).sort() as never,
      );
      for (const { modifiedAt } of listed) expect(modifiedAt).toBeGreaterThan(before);
    });

    it("takes many pieces at once", async () => {
      await using place = await openPlace();
      const pieces = await Promise.all(
        Array.from({ length: 40 }, async () => {
          const bytes = randomBytes(10_000);
          return { bytes, id: await put(place.driver, bytes) };
        }),
      );
      for (const { id, bytes } of pieces) expect((await get(place.driver, id, 0, 10_000)).equals(bytes)).toBe(true);
    });

    it("refuses ids that are no ids", async () => {
      await using place = await openPlace();
      for (const id of ["", "../x", "a/b", "00000000-0000-7000-8000-00000000000\0"]) {
        await expect(place.driver.create(id)).rejects.toThrow();
        await expect(place.driver.open(id)).rejects.toThrow();
      }
    });

    it("says how much room there is", async () => {
      await using place = await openPlace();
      expect(await place.driver.free()).toBeGreaterThan(0);
    });
  });
}

/** More than an object store takes in one part. */
function large(): Buffer {
  return randomBytes(20 * 1024 * 1024);
}

/** A time at which nothing of these tests was begun yet. */
function later(): number {
  return Date.now() + 60_000;
}

async function put(driver: BlobDriver, bytes: Uint8Array): Promise<string> {
  const id = randomUUID();
  const writer = await driver.create(id);
  await writer.write([bytes]);
  await writer.seal();
  return id;
}

async function get(driver: BlobDriver, id: string, offset: number, length: number): Promise<Buffer> {
  await using reader = await driver.open(id);
  const target = Buffer.alloc(length);
  return target.subarray(0, await reader.read(target, offset));
}

async function all(driver: BlobDriver): Promise<PieceInfo[]> {
  const pieces: PieceInfo[] = [];
  for await (const piece of driver.list()) pieces.push(piece);
  return pieces;
}
