// The S3 driver against a real S3 server, which is also killed, frozen and told lies.

import { randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { eventually } from "@docket/runtime/testing/eventually";
import { type S3Server, startS3 } from "@docket/runtime/testing/servers/s3";
import { describeDriver } from "./conformance.ts";
import type { BlobDriver } from "./driver.ts";
import { openS3 } from "./s3.ts";
import { parseS3Url } from "./s3/url.ts";

const MiB = 1024 * 1024;
/** Tests wait for limits, so these are short. */
const patience = { connectMs: 1000, silentMs: 1500, askMs: 4000, partMs: 4000 };

let server: S3Server;
beforeAll(async () => {
  server = await startS3();
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

async function openPlace(url = server.place()) {
  const { credentials } = server;
  const drivers: BlobDriver[] = [await openS3(url, { credentials, patience })];
  return {
    driver: drivers[0] as BlobDriver,
    url,
    async reopen() {
      const again = await openS3(url, { credentials, patience });
      drivers.push(again);
      return again;
    },
    async [Symbol.asyncDispose]() {
      for (const driver of drivers) await driver[Symbol.asyncDispose]();
    },
  };
}

describeDriver("S3", openPlace);

async function put(driver: BlobDriver, bytes: Uint8Array): Promise<string> {
  const id = randomUUID();
  const writer = await driver.create(id);
  try {
    await writer.write([bytes]);
    await writer.seal();
  } catch (fault) {
    await writer.discard();
    throw fault;
  }
  return id;
}

async function get(driver: BlobDriver, id: string, length: number): Promise<Buffer> {
  await using reader = await driver.open(id);
  const target = Buffer.alloc(length);
  return target.subarray(0, await reader.read(target, 0));
}

/** Keys in the bucket below a place, as the server keeps them. */
async function keysOf(url: string): Promise<string[]> {
  const { prefix } = parseS3Url(url, { allowPlaintext: false });
  const folder = `${server.folder}/${prefix}`;
  const entries = existsSync(folder) ? await readdir(folder, { recursive: true, withFileTypes: true }) : [];
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

describe("checksums", () => {
  const refused = expect.stringMatching(/^(BadDigest|XAmzContentSHA256Mismatch)$/);

  it("are compared by the server: bytes that changed on the way are refused", async () => {
    await using place = await openPlace();
    const writer = await place.driver.create(randomUUID());
    const changed = randomBytes(9 * MiB);
    // The writer takes the checksum when it is given the bytes, and sends them once the part is full.
    await writer.write([changed.subarray(0, 4 * MiB)]);
    changed[0] = (changed[0] ?? 0) ^ 1;
    await writer.write([changed.subarray(4 * MiB)]);
    await expect(writer.seal()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", cause: { name: refused } });
    await writer.discard();
    expect(await keysOf(place.url)).toEqual([]);
  });

  it("refuse a small piece just so", async () => {
    await using place = await openPlace();
    const writer = await place.driver.create(randomUUID());
    const changed = randomBytes(1000);
    await writer.write([changed]);
    changed[500] = (changed[500] ?? 0) ^ 1;
    await expect(writer.seal()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", cause: { name: refused } });
    await writer.discard();
    expect(await keysOf(place.url)).toEqual([]);
  });
});

describe("parts that were abandoned", () => {
  it("are given up once they are old, and not while somebody may be writing them", async () => {
    await using place = await openPlace();
    const begun = Date.now();
    const writer = await place.driver.create(randomUUID());
    await writer.write([randomBytes(9 * MiB)]);
    const other = await place.reopen();
    expect(await other.discardUnsealed(begun - 60_000)).toBe(0);
    const kept = await put(other, randomBytes(20 * MiB));
    await eventually(async () => expect(await other.discardUnsealed(Date.now() + 5000)).toBe(1));
    await expect(writer.seal()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await writer.discard();
    expect(await keysOf(place.url)).toEqual([kept]);
  });
});

describe("memory", () => {
  it("is bounded: who waits for it gets it from who fills slowly", async () => {
    const url = server.place();
    const { credentials } = server;
    await using driver = await openS3(url, { credentials, patience, partMemoryBytes: 16 * MiB });
    const slow = await Promise.all(
      [1, 2].map(async () => {
        const pressed = Promise.withResolvers<void>();
        const writer = await driver.create(randomUUID(), { pressed: () => pressed.resolve() });
        await writer.write([randomBytes(1000)]);
        return { writer, pressed: pressed.promise };
      }),
    );
    let done = false;
    const fast = put(driver, randomBytes(20 * MiB)).then(() => {
      done = true;
    });
    await Promise.all(slow.map(({ pressed }) => pressed));
    expect(done).toBe(false);
    for (const { writer } of slow) await writer.seal();
    await fast;
  });
});

describe("an S3 server that dies", () => {
  it("in the middle of an upload leaves nothing half there, is told of in time, and is used again at once", async () => {
    await using own = await startS3();
    const url = own.place();
    await using driver = await openS3(url, { credentials: own.credentials, patience });
    const bytes = randomBytes(30 * MiB);
    const kept = await put(driver, bytes.subarray(0, 1000));
    const id = randomUUID();
    const writer = await driver.create(id);
    await writer.write([bytes.subarray(0, 20 * MiB)]);
    await own.stop();
    const failure = (async () => {
      await writer.write([bytes.subarray(20 * MiB)]);
      await writer.seal();
    })();
    await expect(failure).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await writer.discard();
    await expect(get(driver, kept, 10)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await own.start();
    const back = performance.now();
    expect((await get(driver, kept, 1000)).equals(bytes.subarray(0, 1000))).toBe(true);
    const again = await put(driver, bytes);
    expect(performance.now() - back).toBeLessThan(5000);
    expect((await get(driver, again, bytes.length)).equals(bytes)).toBe(true);
    await expect(get(driver, id, 1)).rejects.toMatchObject({ code: "PIECE_MISSING" });
    const listed: string[] = [];
    for await (const piece of driver.list()) listed.push(piece.id);
    expect(listed.sort()).toEqual([kept, again].sort());
  });

  it("or hangs is waited for in bounded time only, by writers and readers", async () => {
    await using own = await startS3();
    await using driver = await openS3(own.place(), { credentials: own.credentials, patience });
    const bytes = randomBytes(20 * MiB);
    const known = await put(driver, bytes);
    await using reader = await driver.open(known);
    await reader.read(Buffer.alloc(1000), 0);
    own.freeze();
    try {
      const began = performance.now();
      const failures = await Promise.all(
        [put(driver, bytes), put(driver, bytes.subarray(0, 10)), reader.read(Buffer.alloc(1000), 1000)].map((work) =>
          work.then(
            () => "done",
            ({ code }) => code,
          ),
        ),
      );
      expect(failures).toEqual(["STORE_UNAVAILABLE", "STORE_UNAVAILABLE", "STORE_UNAVAILABLE"]);
      // The limit of the request, and that of tidying up after it.
      expect(performance.now() - began).toBeLessThan(patience.partMs + 3000 + 2000);
    } finally {
      own.thaw();
    }
    expect((await get(driver, await put(driver, bytes), bytes.length)).equals(bytes)).toBe(true);
  });
});

describe("a bucket that cannot be used", () => {
  const sentenceOf = async (
    url: string,
    options: Parameters<typeof openS3>[1] = { credentials: server.credentials },
  ) => {
    const fault = await openS3(url, { patience, ...options }).then(
      async (driver) => await driver[Symbol.asyncDispose](),
      (error: Error) => error,
    );
    expect(fault).toMatchObject({ name: expect.stringMatching(/^(StartError|ConfigError)$/) });
    const { message } = fault as Error;
    expect(message).toMatch(/^BLOB_URL[: ][^\n]*\.$/);
    expect(message).not.toContain(server.credentials.secretAccessKey);
    return message;
  };
  const query = () => `endpoint=${server.endpoint}&path_style=true`;

  it("is refused in one sentence that names BLOB_URL", async () => {
    expect(await sentenceOf(`s3://no-such-bucket?${query()}`)).toContain("there is no bucket no-such-bucket");
    const { accessKeyId } = server.credentials;
    expect(
      await sentenceOf(`s3://docket?${query()}`, { credentials: { accessKeyId, secretAccessKey: "wrong" } }),
    ).toContain("does not accept the AWS credentials (SignatureDoesNotMatch)");
    expect(
      await sentenceOf(`s3://docket?${query()}`, { credentials: { accessKeyId: "nobody", secretAccessKey: "x" } }),
    ).toContain("does not accept the AWS credentials");
    expect(await sentenceOf("s3://docket?endpoint=http://127.0.0.1:1&path_style=true")).toContain("cannot be reached");
  });
});
