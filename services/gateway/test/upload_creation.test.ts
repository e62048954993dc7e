// Creation of uploads over tus, by hand: whole ones, pieces, and the one that is made of pieces.

import { UploadState } from "@docket/contracts/gen/docket/storage/v1/upload_pb.ts";
import { newId } from "@docket/runtime/ids";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
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

describe("creation", () => {
  it("says where the upload is and until when", async () => {
    const answer = await client.call("POST", "/files/uploads", {
      "upload-length": "5",
      "upload-metadata": client.metadata,
    });
    expect(answer.headers.get("location")).toMatch(new RegExp(`^${world.url}/files/uploads/[0-9a-f-]{36}$`));
    expect(answer.headers.get("upload-offset")).toBe("0");
    expect(Date.parse(answer.headers.get("upload-expires") ?? "")).toBeGreaterThan(Date.now());
  });

  it("names the public address", async () => {
    await using secure = await startWorld({ PUBLIC_URL: "https://docket.example.com" });
    const { secret } = secure.users.signIn();
    const answer = await client.call("POST", `${secure.url}/files/uploads`, {
      "upload-length": "5",
      "upload-metadata": client.metadata,
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
    const answer = await client.call("POST", "/files/uploads", { "upload-metadata": client.metadata, ...headers });
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ reason: "INVALID_ARGUMENT", fields: [{ field }] });
    expect(answer.headers.get("tus-resumable")).toBe("1.0.0");
  });

  it.each(["../up", "a\0b", "a\u202Eb", "x".repeat(4096), "a/b"])(
    "refuses the name %j, and stores nothing",
    async (name) => {
      const before = world.storage.uploads.size;
      const answer = await client.call("POST", "/files/uploads", {
        "upload-length": "5",
        "upload-metadata": `filename ${base64(name)},workspace_id ${base64(client.workspaceId)}`,
      });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ reason: "INVALID_ARGUMENT", fields: [{ field: "name" }] });
      expect(world.storage.uploads.size).toBe(before);
    },
  );

  it("refuses what is too large with 413", async () => {
    const answer = await client.call("POST", "/files/uploads", {
      "upload-length": "100000001",
      "upload-metadata": client.metadata,
    });
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
    const headers = { "upload-length": "5", "upload-metadata": client.metadata, origin: "https://evil.example" };
    expect((await client.call("POST", "/files/uploads", headers)).status).toBe(403);
  });
});

describe("concatenation", () => {
  it("makes one upload of pieces that carry no metadata", async () => {
    const parts = await Promise.all(
      ["abc", "defg"].map(async (text) => {
        const answer = await client.call("POST", "/files/uploads", {
          "upload-length": String(text.length),
          "upload-concat": "partial",
        });
        const url = answer.headers.get("location") ?? "";
        await client.patch(url, 0, text);
        expect((await client.call("HEAD", url)).headers.get("upload-concat")).toBe("partial");
        return url;
      }),
    );
    const relative = parts.map((url) => new URL(url).pathname);
    const answer = await client.call("POST", "/files/uploads", {
      "upload-concat": `final;${relative.join(" ")}`,
      "upload-metadata": client.metadata,
    });
    expect([answer.status, answer.headers.get("upload-offset")]).toEqual([201, "7"]);
    const url = answer.headers.get("location") ?? "";
    expect(client.stored(url)).toMatchObject({
      bytes: Buffer.from("abcdefg"),
      state: UploadState.STORED,
      name: "größe.bin",
    });
    expect((await client.patch(url, 7, "x")).status).toBe(403);
  });

  it("takes no pieces of others", async () => {
    const other = { authorization: `Bearer ${world.users.signIn().secret}` };
    const part = await client.call("POST", "/files/uploads", {
      "upload-length": "1",
      "upload-concat": "partial",
      ...other,
    });
    const concat = `final;${part.headers.get("location")}`;
    expect(
      (await client.call("POST", "/files/uploads", { "upload-concat": concat, "upload-metadata": client.metadata }))
        .status,
    ).toBe(404);
  });
});
