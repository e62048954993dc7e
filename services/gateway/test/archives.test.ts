// Archives: many documents as one ZIP file, written while it is read.

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import http from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { newId } from "@docket/runtime/ids";
import { eventually } from "@docket/runtime/testing/eventually";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { FakeEntry } from "./upstreams/document.ts";
import { startWorld, type World } from "./world.ts";

let world: World;
let authorization = "";
beforeAll(async () => {
  world = await startWorld();
  authorization = `Bearer ${world.users.signIn().secret}`;
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

function archive(entries: readonly FakeEntry[], name = "Quay 2026-11-21.zip"): string {
  const id = newId();
  world.documents.archives.set(id, { name, entries });
  return id;
}

function get(id: string, method = "GET", headers: Record<string, string> = { authorization }): Promise<Response> {
  return fetch(`${world.url}/files/archives/${id}`, { method, headers });
}

const large = randomBytes(700_000);
function someEntries(): FakeEntry[] {
  return [
    { path: "Verträge/" },
    { path: "Verträge/one.txt", version: world.documents.add(Buffer.from("one")) },
    { path: "Verträge/empty.txt", version: world.documents.add(Buffer.alloc(0)) },
    { path: "large.bin", version: world.documents.add(large) },
    { path: "Empty/" },
  ];
}

describe("an archive", () => {
  it("is a ZIP file of the length that was told, with a name and headers that keep it harmless", async () => {
    const id = archive(someEntries(), "Übersicht.zip");
    const answer = await get(id);
    expect(answer.status).toBe(200);
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "accept-ranges": "none",
      "cache-control": "private, no-store",
      "content-disposition": "attachment; filename=\"_bersicht.zip\"; filename*=UTF-8''%C3%9Cbersicht.zip",
      "content-length": String(bytes.length),
      "content-security-policy": "sandbox; default-src 'none'",
      "content-type": "application/zip",
      "x-content-type-options": "nosniff",
    });
    await using folder = await temporaryFolder();
    const path = join(folder.path, "a.zip");
    await writeFile(path, bytes);
    const program = `
import json, sys, zipfile, hashlib
with zipfile.ZipFile(sys.argv[1]) as z:
    assert z.testzip() is None
    print(json.dumps({i.filename: z.read(i).hex()[:6] for i in z.infolist()}))
`;
    const { stdout } = await promisify(execFile)("python3", ["-c", program, path]);
    expect(JSON.parse(stdout)).toEqual({
      "Verträge/": "",
      "Verträge/one.txt": Buffer.from("one").toString("hex"),
      "Verträge/empty.txt": "",
      "large.bin": large.toString("hex").slice(0, 6),
      "Empty/": "",
    });
  });

  it("answers HEAD with the length alone, and reads nothing", async () => {
    const id = archive(someEntries());
    const before = [world.storage.chunksRead, world.documents.tickets];
    const answer = await get(id, "HEAD");
    expect(Number(answer.headers.get("content-length"))).toBeGreaterThan(large.length);
    expect(await answer.text()).toBe("");
    expect([world.storage.chunksRead, world.documents.tickets]).toEqual(before);
  });

  it("is given to nobody who is not signed in, and is not found where there is none", async () => {
    expect((await get(archive(someEntries()), "GET", {})).status).toBe(401);
    const answer = await get(newId());
    expect([answer.status, answer.headers.get("content-disposition")]).toEqual([404, null]);
    expect(await answer.json()).toMatchObject({ reason: "NOT_FOUND" });
  });

  it("goes on where storage's stream ended", async () => {
    const id = archive([{ path: "a", version: world.documents.add(large) }]);
    world.storage.breakAfter.push(128 * 1024);
    const bytes = Buffer.from(await (await get(id)).arrayBuffer());
    expect(bytes.includes(large)).toBe(true);
  });

  it("is cut where an entry fails in the middle, never a file that looks whole", async () => {
    const [first, second] = [world.documents.add(large), world.documents.add(large)];
    const id = archive([
      { path: "a", version: first },
      { path: "b", version: second },
    ]);
    world.storage.breakAfter.push(Number.POSITIVE_INFINITY, 64 * 1024, 0, 0, 0, 0);
    const answer = await get(id);
    expect(answer.status).toBe(200);
    await expect(answer.arrayBuffer()).rejects.toThrow();
    world.storage.breakAfter.length = 0;
  });

  it("is cut where a document has gone meanwhile, or has other contents than were listed", async () => {
    const first = world.documents.add(large);
    const gone = { ...world.documents.add(Buffer.from("gone")), documentId: newId() };
    const answer = await get(
      archive([
        { path: "a", version: first },
        { path: "b", version: gone },
      ]),
    );
    await expect(answer.arrayBuffer()).rejects.toThrow();
    const listed = { ...world.documents.add(Buffer.from("new contents")), bytes: Buffer.from("old contents") };
    // Nothing was sent yet, so that the failure has a status of its own.
    const other = await get(archive([{ path: "a", version: listed }]));
    expect([other.status, other.headers.get("content-disposition")]).toEqual([500, null]);
  });

  it("that nobody reads does not fill the memory, and ends with its client", async () => {
    const huge = world.documents.add(Buffer.alloc(64 << 20, 1));
    const id = archive([{ path: "huge", version: huge }]);
    const before = { chunks: world.storage.chunksRead, cancelled: world.storage.readsCancelled };
    const request = http.get(`${world.url}/files/archives/${id}`, { headers: { authorization } });
    const answer = await new Promise<http.IncomingMessage>((resolve) => request.once("response", resolve));
    answer.pause();
    let last = -1;
    // Read nothing until storage has stopped sending.
    await eventually(
      () => {
        const now = world.storage.chunksRead;
        const still = now === last && now > before.chunks;
        last = now;
        return still;
      },
      { intervalMs: 300 },
    );
    expect((world.storage.chunksRead - before.chunks) * 64 * 1024).toBeLessThan(48 << 20);
    request.destroy();
    await eventually(() => world.storage.readsCancelled > before.cancelled);
  });
});
