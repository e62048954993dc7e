// Uploads over tus: the stock client, and each promise and refusal by hand but those of creation (upload_creation.test.ts).

import { createHash, randomBytes } from "node:crypto";
import net from "node:net";
import { crc32 } from "node:zlib";
import { UploadState } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import { newId } from "@docket/runtime/ids";
import { eventually } from "@docket/runtime/testing/eventually";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import * as tus from "tus-js-client";
import { base64, TusClient } from "./tus_client.ts";
import { startWorld, type World } from "./world.ts";

let world: World;
let client: TusClient;
beforeAll(async () => {
  world = await startWorld();
  client = new TusClient(world);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

function uploadWith(bytes: Buffer, options: Partial<tus.UploadOptions>): Promise<string> {
  return new Promise((resolve, reject) => {
    const upload = new tus.Upload(bytes, {
      endpoint: `${world.url}/files/uploads`,
      headers: { authorization: client.authorization },
      metadata: { filename: "größe.bin", filetype: "application/pdf", workspace_id: client.workspaceId },
      retryDelays: null as never,
      onError: reject,
      onSuccess: () => resolve(upload.url ?? ""),
      ...options,
    });
    upload.start();
  });
}

describe("the stock client", () => {
  const bytes = randomBytes(3_000_000);

  it("uploads in one go", async () => {
    const upload = client.stored(await uploadWith(bytes, {}));
    expect(upload.bytes.equals(bytes)).toBe(true);
    expect(upload).toMatchObject({
      name: "größe.bin",
      mediaType: "application/pdf",
      workspaceId: client.workspaceId,
      state: UploadState.STORED,
    });
    expect(world.storage.largestChunk).toBeLessThanOrEqual(1 << 20);
  });

  it("uploads in chunks", async () => {
    expect(client.stored(await uploadWith(bytes, { chunkSize: 700_000 })).bytes.equals(bytes)).toBe(true);
  });

  it("uploads in three parallel parts", async () => {
    const upload = client.stored(await uploadWith(bytes, { parallelUploads: 3 }));
    expect(upload.bytes.equals(bytes)).toBe(true);
    expect(upload).toMatchObject({
      name: "größe.bin",
      workspaceId: client.workspaceId,
      partial: false,
      state: UploadState.STORED,
    });
  });

  it("uploads while it creates", async () => {
    expect(client.stored(await uploadWith(bytes, { uploadDataDuringCreation: true })).bytes.equals(bytes)).toBe(true);
  });

  it("uploads without saying the length first", async () => {
    const upload = client.stored(await uploadWith(bytes, { uploadLengthDeferred: true, chunkSize: 900_000 }));
    expect(upload.bytes.equals(bytes)).toBe(true);
  });

  it("uploads nothing at all", async () => {
    expect(client.stored(await uploadWith(Buffer.alloc(0), {})).state).toBe(UploadState.STORED);
  });

  it("goes on where a cut upload was", async () => {
    const url = await client.create(bytes.length);
    await client.patch(url, 0, bytes.subarray(0, 1_000_000));
    expect(client.stored(await uploadWith(bytes, { uploadUrl: url })).bytes.equals(bytes)).toBe(true);
  });

  it("speaks POST where a proxy knows no PATCH", async () => {
    expect(client.stored(await uploadWith(bytes, { overridePatchMethod: true })).bytes.equals(bytes)).toBe(true);
  });
});

describe("OPTIONS", () => {
  it("tells what is spoken, to anybody", async () => {
    const answer = await fetch(`${world.url}/files/uploads`, { method: "OPTIONS" });
    expect(answer.status).toBe(204);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "tus-version": "1.0.0",
      "tus-resumable": "1.0.0",
      "tus-extension":
        "creation,creation-with-upload,creation-defer-length,checksum,expiration,termination,concatenation",
      "tus-checksum-algorithm": "sha1,sha256,md5,crc32",
      "tus-max-size": "100000000",
    });
  });
});

describe("every request", () => {
  it.each(["POST", "HEAD", "PATCH", "DELETE"])("%s of another version of tus is 412", async (method) => {
    const path = method === "POST" ? "/files/uploads" : `/files/uploads/${newId()}`;
    for (const version of ["0.2.2", ""]) {
      const answer = await client.call(method, path, { "tus-resumable": version });
      expect(answer.status).toBe(412);
      expect(answer.headers.get("tus-version")).toBe("1.0.0");
    }
  });

  it.each([newId(), "not-an-id", "%2e%2e"])("for the unknown upload %s is 404", async (id) => {
    expect((await client.call("HEAD", `/files/uploads/${id}`)).status).toBe(404);
    expect((await client.patch(`/files/uploads/${id}`, 0, "x")).status).toBe(404);
    expect((await client.call("DELETE", `/files/uploads/${id}`)).status).toBe(404);
  });

  it("for somebody else's upload is 404", async () => {
    const url = await client.create(5);
    const other = { authorization: `Bearer ${world.users.signIn().secret}` };
    expect((await client.call("HEAD", url, other)).status).toBe(404);
    expect((await client.patch(url, 0, "x", other)).status).toBe(404);
    expect((await client.call("DELETE", url, other)).status).toBe(404);
  });

  it("of another method is 405", async () => {
    const answer = await client.call("PUT", "/files/uploads");
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "OPTIONS, POST"]);
  });
});

describe("HEAD", () => {
  it("tells all that a client needs to go on", async () => {
    const url = await client.create(10);
    await client.patch(url, 0, "12345");
    const answer = await client.call("HEAD", url);
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "upload-offset": "5",
      "upload-length": "10",
      "cache-control": "no-store",
    });
    expect(answer.headers.get("upload-metadata")).toContain(`filename ${base64("größe.bin")}`);
  });

  it("completes an upload whose last answer was lost", async () => {
    const url = await client.create(5);
    const upload = client.stored(url);
    upload.bytes = Buffer.from("12345");
    expect(await client.offsetOf(url)).toBe(5);
    expect(upload.state).toBe(UploadState.STORED);
  });
});

describe("PATCH", () => {
  it("appends, and says how far it is", async () => {
    const url = await client.create(10);
    const answer = await client.patch(url, 0, "12345");
    expect([answer.status, answer.headers.get("upload-offset")]).toEqual([204, "5"]);
    expect(client.stored(url).state).toBe(UploadState.RECEIVING);
    expect((await client.patch(url, 5, "67890")).status).toBe(204);
    expect(client.stored(url)).toMatchObject({ bytes: Buffer.from("1234567890"), state: UploadState.STORED });
  });

  it.each([3, 7])("at offset %i instead of 5 is 409 and says where to go on", async (offset) => {
    const url = await client.create(10);
    await client.patch(url, 0, "12345");
    const answer = await client.patch(url, offset, "xx");
    expect([answer.status, answer.headers.get("upload-offset")]).toEqual([409, "5"]);
    expect(await answer.json()).toMatchObject({ reason: "UPLOAD_OFFSET_CONFLICT" });
    expect(client.stored(url).bytes.toString()).toBe("12345");
  });

  it("without an offset, or with an odd one, is 400", async () => {
    const url = await client.create(10);
    for (const offset of ["", "-1", "1.5", "a"]) {
      const answer = await client.patch(url, 0, "x", { "upload-offset": offset });
      expect(answer.status).toBe(400);
    }
  });

  it("of another content type is 415", async () => {
    expect(
      (await client.patch(await client.create(10), 0, "x", { "content-type": "application/octet-stream" })).status,
    ).toBe(415);
  });

  it("with more bytes than the upload has is 413, and keeps none", async () => {
    const url = await client.create(5);
    expect((await client.patch(url, 0, "123456")).status).toBe(413);
    expect(await client.offsetOf(url)).toBe(0);
  });

  it("to a complete upload is 403, but its last one may come again", async () => {
    const url = await client.create(5);
    await client.patch(url, 0, "12345");
    expect((await client.patch(url, 5, "6")).status).toBe(403);
    expect((await client.patch(url, 5, "")).status).toBe(204);
  });

  it.each([
    ["sha1", 20, (body: Buffer) => createHash("sha1").update(body).digest()],
    ["sha256", 32, (body: Buffer) => createHash("sha256").update(body).digest()],
    ["md5", 16, (body: Buffer) => createHash("md5").update(body).digest()],
    ["crc32", 4, (body: Buffer) => Buffer.from(crc32(body).toString(16).padStart(8, "0"), "hex")],
  ])("with a %s checksum keeps all of its bytes or none", async (name, length, sum) => {
    const body = randomBytes(600_000);
    const url = await client.create(body.length);
    const wrong = await client.patch(url, 0, body, { "upload-checksum": `${name} ${base64(Buffer.alloc(length))}` });
    expect(wrong.status).toBe(460);
    expect(await wrong.json()).toMatchObject({ reason: "CHECKSUM_MISMATCH" });
    expect(await client.offsetOf(url)).toBe(0);
    const right = await client.patch(url, 0, body, { "upload-checksum": `${name} ${base64(sum(body))}` });
    expect([right.status, right.headers.get("upload-offset")]).toEqual([204, String(body.length)]);
  });

  it.each(["sha512 AAAA", "sha1", "sha1 AAAA", "sha1 AAAA BBBB"])("with the checksum %j is 400", async (checksum) => {
    const answer = await client.patch(await client.create(5), 0, "12345", { "upload-checksum": checksum });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ fields: [{ field: "Upload-Checksum" }] });
  });

  it("that is cut keeps what came", async () => {
    const url = await client.create(1_000_000);
    const socket = raw(url, 1_000_000, Buffer.alloc(300_000, 1));
    await eventually(() => expect(client.stored(url).bytes.length).toBeGreaterThan(0));
    socket.destroy();
    await eventually(() => expect(client.stored(url).bytes.length).toBe(300_000));
    const rest = await client.patch(url, 300_000, Buffer.alloc(700_000, 2));
    expect(rest.headers.get("upload-offset")).toBe("1000000");
  });

  it("that hangs is ended by a newer one", async () => {
    const url = await client.create(1_000_000);
    const socket = raw(url, 1_000_000, Buffer.alloc(262_144 * 2, 1));
    await eventually(() => expect(client.stored(url).bytes.length).toBe(262_144 * 2));
    const answer = await client.patch(url, 262_144 * 2, Buffer.alloc(1_000_000 - 262_144 * 2, 2));
    expect([answer.status, answer.headers.get("upload-offset")]).toEqual([204, "1000000"]);
    socket.destroy();
  });
});

/** A PATCH whose body stops in the middle while its connection stays open. */
function raw(url: string, length: number, sent: Buffer): net.Socket {
  const socket = net.connect(world.port, "127.0.0.1");
  socket.on("error", () => undefined);
  const head = [
    `PATCH ${new URL(url).pathname} HTTP/1.1`,
    "host: x",
    "tus-resumable: 1.0.0",
    `authorization: ${client.authorization}`,
    "upload-offset: 0",
    "content-type: application/offset+octet-stream",
    `content-length: ${length}`,
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  socket.write(sent);
  return socket;
}

describe("termination", () => {
  it("gives an upload up: 204, then 410", async () => {
    const url = await client.create(10);
    expect((await client.call("DELETE", url)).status).toBe(204);
    for (const method of ["HEAD", "DELETE"]) expect((await client.call(method, url)).status).toBe(410);
    expect((await client.patch(url, 0, "x")).status).toBe(410);
  });
});
