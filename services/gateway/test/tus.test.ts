// Uploads over tus: the stock client, and each promise and refusal of the protocol by hand.

import { createHash, randomBytes } from "node:crypto";
import net from "node:net";
import { crc32 } from "node:zlib";
import { UploadState } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import { newId } from "@docket/runtime/ids";
import { eventually } from "@docket/runtime/testing/eventually";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import * as tus from "tus-js-client";
import { startWorld, type World } from "./world.ts";

let world: World;
let authorization = "";
const workspaceId = newId();
beforeAll(async () => {
  world = await startWorld();
  authorization = `Bearer ${world.users.signIn().secret}`;
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const metadata = [
  `filename ${base64("größe.bin")}`,
  `filetype ${base64("application/pdf")}`,
  `workspace_id ${base64(workspaceId)}`,
].join(",");

function base64(text: string | Buffer): string {
  return Buffer.from(text).toString("base64");
}

function call(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: Buffer | string,
): Promise<Response> {
  const url = path.startsWith("http") ? path : world.url + path;
  return fetch(url, {
    method,
    headers: { "tus-resumable": "1.0.0", authorization, ...headers },
    body: body ?? null,
  });
}

async function create(size: number, headers: Record<string, string> = {}): Promise<string> {
  const answer = await call("POST", "/files/uploads", {
    "upload-length": String(size),
    "upload-metadata": metadata,
    ...headers,
  });
  expect(answer.status).toBe(201);
  return answer.headers.get("location") ?? "";
}

function patch(
  url: string,
  offset: number,
  body: Buffer | string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return call(
    "PATCH",
    url,
    { "upload-offset": String(offset), "content-type": "application/offset+octet-stream", ...headers },
    body,
  );
}

async function offsetOf(url: string): Promise<number> {
  return Number((await call("HEAD", url)).headers.get("upload-offset"));
}

function stored(url: string) {
  const upload = world.storage.uploads.get(url.slice(-36));
  if (upload === undefined) throw new Error(`no upload ${url}`);
  return upload;
}

function uploadWith(bytes: Buffer, options: Partial<tus.UploadOptions>): Promise<string> {
  return new Promise((resolve, reject) => {
    const upload = new tus.Upload(bytes, {
      endpoint: `${world.url}/files/uploads`,
      headers: { authorization },
      metadata: { filename: "größe.bin", filetype: "application/pdf", workspace_id: workspaceId },
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
    const upload = stored(await uploadWith(bytes, {}));
    expect(upload.bytes.equals(bytes)).toBe(true);
    expect(upload).toMatchObject({
      name: "größe.bin",
      mediaType: "application/pdf",
      workspaceId,
      state: UploadState.STORED,
    });
    expect(world.storage.largestChunk).toBeLessThanOrEqual(1 << 20);
  });

  it("uploads in chunks", async () => {
    expect(stored(await uploadWith(bytes, { chunkSize: 700_000 })).bytes.equals(bytes)).toBe(true);
  });

  it("uploads in three parallel parts", async () => {
    const upload = stored(await uploadWith(bytes, { parallelUploads: 3 }));
    expect(upload.bytes.equals(bytes)).toBe(true);
    expect(upload).toMatchObject({ name: "größe.bin", workspaceId, partial: false, state: UploadState.STORED });
  });

  it("uploads while it creates", async () => {
    expect(stored(await uploadWith(bytes, { uploadDataDuringCreation: true })).bytes.equals(bytes)).toBe(true);
  });

  it("uploads without saying the length first", async () => {
    const upload = stored(await uploadWith(bytes, { uploadLengthDeferred: true, chunkSize: 900_000 }));
    expect(upload.bytes.equals(bytes)).toBe(true);
  });

  it("uploads nothing at all", async () => {
    expect(stored(await uploadWith(Buffer.alloc(0), {})).state).toBe(UploadState.STORED);
  });

  it("goes on where a cut upload was", async () => {
    const url = await create(bytes.length);
    await patch(url, 0, bytes.subarray(0, 1_000_000));
    expect(stored(await uploadWith(bytes, { uploadUrl: url })).bytes.equals(bytes)).toBe(true);
  });

  it("speaks POST where a proxy knows no PATCH", async () => {
    expect(stored(await uploadWith(bytes, { overridePatchMethod: true })).bytes.equals(bytes)).toBe(true);
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

describe("creation", () => {
  it("says where the upload is and until when", async () => {
    const answer = await call("POST", "/files/uploads", { "upload-length": "5", "upload-metadata": metadata });
    expect(answer.headers.get("location")).toMatch(new RegExp(`^${world.url}/files/uploads/[0-9a-f-]{36}$`));
    expect(answer.headers.get("upload-offset")).toBe("0");
    expect(Date.parse(answer.headers.get("upload-expires") ?? "")).toBeGreaterThan(Date.now());
  });

  it("names the public address", async () => {
    await using secure = await startWorld({ PUBLIC_URL: "https://docket.example.com" });
    const { secret } = secure.users.signIn();
    const answer = await call("POST", `${secure.url}/files/uploads`, {
      "upload-length": "5",
      "upload-metadata": metadata,
      authorization: `Bearer ${secret}`,
    });
    expect(answer.headers.get("location")).toMatch(/^https:\/\/docket\.example\.com\/files\/uploads\//);
  });

  it.each<[string, Record<string, string>, number, string]>([
    ["no length", {}, 400, "Upload-Length"],
    ["both lengths", { "upload-length": "5", "upload-defer-length": "1" }, 400, "Upload-Length"],
    ["a length that is no number", { "upload-length": "-5" }, 400, "Upload-Length"],
    ["a length of many digits", { "upload-length": "9".repeat(30) }, 400, "Upload-Length"],
    ["an odd deferral", { "upload-defer-length": "2" }, 400, "Upload-Defer-Length"],
    ["no metadata", { "upload-length": "5", "upload-metadata": "" }, 400, "Upload-Metadata"],
    ["metadata that is no base64", { "upload-length": "5", "upload-metadata": "filename ***" }, 400, "Upload-Metadata"],
    [
      "metadata that is no UTF-8",
      { "upload-length": "5", "upload-metadata": `filename ${base64(Buffer.from([0xff]))}` },
      400,
      "Upload-Metadata",
    ],
    ["a key twice", { "upload-length": "5", "upload-metadata": "a YQ==,a YQ==" }, 400, "Upload-Metadata"],
    ["no workspace", { "upload-length": "5", "upload-metadata": `filename ${base64("a")}` }, 400, "Upload-Metadata"],
    ["a final upload of strangers", { "upload-concat": "final;https://evil.example/x" }, 400, "Upload-Concat"],
    ["an odd concatenation", { "upload-concat": "sideways" }, 400, "Upload-Concat"],
    [
      "a final upload with a length",
      { "upload-concat": `final;/files/uploads/${newId()}`, "upload-length": "5" },
      400,
      "Upload-Length",
    ],
  ])("refuses %s", async (_name, headers, status, field) => {
    const answer = await call("POST", "/files/uploads", { "upload-metadata": metadata, ...headers });
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ reason: "INVALID_ARGUMENT", fields: [{ field }] });
    expect(answer.headers.get("tus-resumable")).toBe("1.0.0");
  });

  it.each(["../up", "a\0b", "a\u202Eb", "x".repeat(4096), "a/b"])(
    "refuses the name %j, and stores nothing",
    async (name) => {
      const before = world.storage.uploads.size;
      const answer = await call("POST", "/files/uploads", {
        "upload-length": "5",
        "upload-metadata": `filename ${base64(name)},workspace_id ${base64(workspaceId)}`,
      });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ reason: "INVALID_ARGUMENT", fields: [{ field: "name" }] });
      expect(world.storage.uploads.size).toBe(before);
    },
  );

  it("refuses what is too large with 413", async () => {
    const answer = await call("POST", "/files/uploads", { "upload-length": "100000001", "upload-metadata": metadata });
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ reason: "FILE_TOO_LARGE", metadata: { limit: "100000000" } });
  });

  it("needs a session", async () => {
    const answer = await fetch(`${world.url}/files/uploads`, {
      method: "POST",
      headers: { "tus-resumable": "1.0.0", "upload-length": "5" },
    });
    expect(answer.status).toBe(401);
  });

  it("is refused to a foreign page", async () => {
    const headers = { "upload-length": "5", "upload-metadata": metadata, origin: "https://evil.example" };
    expect((await call("POST", "/files/uploads", headers)).status).toBe(403);
  });
});

describe("every request", () => {
  it.each(["POST", "HEAD", "PATCH", "DELETE"])("%s of another version of tus is 412", async (method) => {
    const path = method === "POST" ? "/files/uploads" : `/files/uploads/${newId()}`;
    for (const version of ["0.2.2", ""]) {
      const answer = await call(method, path, { "tus-resumable": version });
      expect(answer.status).toBe(412);
      expect(answer.headers.get("tus-version")).toBe("1.0.0");
    }
  });

  it.each([newId(), "not-an-id", "%2e%2e"])("for the unknown upload %s is 404", async (id) => {
    expect((await call("HEAD", `/files/uploads/${id}`)).status).toBe(404);
    expect((await patch(`/files/uploads/${id}`, 0, "x")).status).toBe(404);
    expect((await call("DELETE", `/files/uploads/${id}`)).status).toBe(404);
  });

  it("for somebody else's upload is 404", async () => {
    const url = await create(5);
    const other = { authorization: `Bearer ${world.users.signIn().secret}` };
    expect((await call("HEAD", url, other)).status).toBe(404);
    expect((await patch(url, 0, "x", other)).status).toBe(404);
    expect((await call("DELETE", url, other)).status).toBe(404);
  });

  it("of another method is 405", async () => {
    const answer = await call("PUT", "/files/uploads");
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "OPTIONS, POST"]);
  });
});

describe("HEAD", () => {
  it("tells all that a client needs to go on", async () => {
    const url = await create(10);
    await patch(url, 0, "12345");
    const answer = await call("HEAD", url);
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "upload-offset": "5",
      "upload-length": "10",
      "cache-control": "no-store",
    });
    expect(answer.headers.get("upload-metadata")).toContain(`filename ${base64("größe.bin")}`);
  });

  it("completes an upload whose last answer was lost", async () => {
    const url = await create(5);
    const upload = stored(url);
    upload.bytes = Buffer.from("12345");
    expect(await offsetOf(url)).toBe(5);
    expect(upload.state).toBe(UploadState.STORED);
  });
});

describe("PATCH", () => {
  it("appends, and says how far it is", async () => {
    const url = await create(10);
    const answer = await patch(url, 0, "12345");
    expect([answer.status, answer.headers.get("upload-offset")]).toEqual([204, "5"]);
    expect(stored(url).state).toBe(UploadState.RECEIVING);
    expect((await patch(url, 5, "67890")).status).toBe(204);
    expect(stored(url)).toMatchObject({ bytes: Buffer.from("1234567890"), state: UploadState.STORED });
  });

  it.each([3, 7])("at offset %i instead of 5 is 409 and says where to go on", async (offset) => {
    const url = await create(10);
    await patch(url, 0, "12345");
    const answer = await patch(url, offset, "xx");
    expect([answer.status, answer.headers.get("upload-offset")]).toEqual([409, "5"]);
    expect(await answer.json()).toMatchObject({ reason: "UPLOAD_OFFSET_CONFLICT" });
    expect(stored(url).bytes.toString()).toBe("12345");
  });

  it("without an offset, or with an odd one, is 400", async () => {
    const url = await create(10);
    for (const offset of ["", "-1", "1.5", "a"]) {
      const answer = await patch(url, 0, "x", { "upload-offset": offset });
      expect(answer.status).toBe(400);
    }
  });

  it("of another content type is 415", async () => {
    expect((await patch(await create(10), 0, "x", { "content-type": "application/octet-stream" })).status).toBe(415);
  });

  it("with more bytes than the upload has is 413, and keeps none", async () => {
    const url = await create(5);
    expect((await patch(url, 0, "123456")).status).toBe(413);
    expect(await offsetOf(url)).toBe(0);
  });

  it("to a complete upload is 403, but its last one may come again", async () => {
    const url = await create(5);
    await patch(url, 0, "12345");
    expect((await patch(url, 5, "6")).status).toBe(403);
    expect((await patch(url, 5, "")).status).toBe(204);
  });

  it.each([
    ["sha1", 20, (body: Buffer) => createHash("sha1").update(body).digest()],
    ["sha256", 32, (body: Buffer) => createHash("sha256").update(body).digest()],
    ["md5", 16, (body: Buffer) => createHash("md5").update(body).digest()],
    ["crc32", 4, (body: Buffer) => Buffer.from(crc32(body).toString(16).padStart(8, "0"), "hex")],
  ])("with a %s checksum keeps all of its bytes or none", async (name, length, sum) => {
    const body = randomBytes(600_000);
    const url = await create(body.length);
    const wrong = await patch(url, 0, body, { "upload-checksum": `${name} ${base64(Buffer.alloc(length))}` });
    expect(wrong.status).toBe(460);
    expect(await wrong.json()).toMatchObject({ reason: "CHECKSUM_MISMATCH" });
    expect(await offsetOf(url)).toBe(0);
    const right = await patch(url, 0, body, { "upload-checksum": `${name} ${base64(sum(body))}` });
    expect([right.status, right.headers.get("upload-offset")]).toEqual([204, String(body.length)]);
  });

  it.each(["sha512 AAAA", "sha1", "sha1 AAAA", "sha1 AAAA BBBB"])("with the checksum %j is 400", async (checksum) => {
    const answer = await patch(await create(5), 0, "12345", { "upload-checksum": checksum });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ fields: [{ field: "Upload-Checksum" }] });
  });

  it("that is cut keeps what came", async () => {
    const url = await create(1_000_000);
    const socket = raw(url, 1_000_000, Buffer.alloc(300_000, 1));
    await eventually(() => expect(stored(url).bytes.length).toBeGreaterThan(0));
    socket.destroy();
    await eventually(() => expect(stored(url).bytes.length).toBe(300_000));
    const rest = await patch(url, 300_000, Buffer.alloc(700_000, 2));
    expect(rest.headers.get("upload-offset")).toBe("1000000");
  });

  it("that hangs is ended by a newer one", async () => {
    const url = await create(1_000_000);
    const socket = raw(url, 1_000_000, Buffer.alloc(262_144 * 2, 1));
    await eventually(() => expect(stored(url).bytes.length).toBe(262_144 * 2));
    const answer = await patch(url, 262_144 * 2, Buffer.alloc(1_000_000 - 262_144 * 2, 2));
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
    `authorization: ${authorization}`,
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
    const url = await create(10);
    expect((await call("DELETE", url)).status).toBe(204);
    for (const method of ["HEAD", "DELETE"]) expect((await call(method, url)).status).toBe(410);
    expect((await patch(url, 0, "x")).status).toBe(410);
  });
});

describe("concatenation", () => {
  it("makes one upload of pieces that carry no metadata", async () => {
    const parts = await Promise.all(
      ["abc", "defg"].map(async (text) => {
        const answer = await call("POST", "/files/uploads", {
          "upload-length": String(text.length),
          "upload-concat": "partial",
        });
        const url = answer.headers.get("location") ?? "";
        await patch(url, 0, text);
        expect((await call("HEAD", url)).headers.get("upload-concat")).toBe("partial");
        return url;
      }),
    );
    const relative = parts.map((url) => new URL(url).pathname);
    const answer = await call("POST", "/files/uploads", {
      "upload-concat": `final;${relative.join(" ")}`,
      "upload-metadata": metadata,
    });
    expect([answer.status, answer.headers.get("upload-offset")]).toEqual([201, "7"]);
    const url = answer.headers.get("location") ?? "";
    expect(stored(url)).toMatchObject({ bytes: Buffer.from("abcdefg"), state: UploadState.STORED, name: "größe.bin" });
    expect((await patch(url, 7, "x")).status).toBe(403);
  });

  it("takes no pieces of others", async () => {
    const other = { authorization: `Bearer ${world.users.signIn().secret}` };
    const part = await call("POST", "/files/uploads", { "upload-length": "1", "upload-concat": "partial", ...other });
    const concat = `final;${part.headers.get("location")}`;
    expect(
      (await call("POST", "/files/uploads", { "upload-concat": concat, "upload-metadata": metadata })).status,
    ).toBe(404);
  });
});
