// Clients that go away at any moment leave nothing behind.

import { randomBytes, randomInt } from "node:crypto";
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import { newId } from "@docket/runtime/ids";
import { eventually } from "@docket/runtime/testing/eventually";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startWorld, type World } from "./world.ts";

let world: World;
let authorization = "";
let documentId = "";
beforeAll(async () => {
  world = await startWorld({ RATE_LIMIT_PERCENT: "0" });
  authorization = `Bearer ${world.users.signIn().secret}`;
  documentId = world.documents.add(randomBytes(3_000_000)).documentId;
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

async function newUpload(): Promise<string> {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const answer = await fetch(`${world.url}/files/uploads`, {
    method: "POST",
    headers: {
      authorization,
      "tus-resumable": "1.0.0",
      "upload-length": "500000",
      "upload-metadata": `filename ${base64("a")},workspace_id ${base64(newId())}`,
    },
  });
  return new URL(answer.headers.get("location") ?? "").pathname;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

async function anyRequest(): Promise<Asked> {
  const json = { authorization, "content-type": "application/json" };
  const message = Buffer.from(JSON.stringify({ documentId: newId() }));
  const choices: (() => Promise<Asked>)[] = [
    async () => ({
      method: "GET",
      path: `/files/documents/${documentId}`,
      headers: { authorization },
      body: Buffer.alloc(0),
    }),
    async () => ({
      method: "POST",
      path: "/docket.document.v1.DocumentService/GetDocument",
      headers: json,
      body: message,
    }),
    async () => ({
      method: "POST",
      path: "/docket.document.v1.ChangeService/WatchChanges",
      headers: { authorization, "content-type": "application/connect+json" },
      body: Buffer.concat([Buffer.from([0, 0, 0, 0, 2]), Buffer.from("{}")]),
    }),
    async () => ({
      method: "PATCH",
      path: await newUpload(),
      headers: {
        authorization,
        "tus-resumable": "1.0.0",
        "upload-offset": "0",
        "content-type": "application/offset+octet-stream",
      },
      body: randomBytes(500_000),
    }),
  ];
  const choice = choices[randomInt(choices.length)] ?? choices[0];
  if (choice === undefined) throw new Error("nothing to ask");
  return await choice();
}

/** Sends a random share of the request, perhaps reads something, and cuts the connection. */
async function cutOverHttp1(): Promise<void> {
  const { method, path, headers, body } = await anyRequest();
  const lines = [
    `${method} ${path} HTTP/1.1`,
    "host: x",
    `content-length: ${body.length}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  const all = Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), body]);
  const socket = net.connect(world.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(all.subarray(0, randomInt(all.length) + 1));
  if (randomInt(2) === 0)
    await Promise.race([
      new Promise((resolve) => socket.once("data", resolve)),
      new Promise((resolve) => setTimeout(resolve, 20)),
    ]);
  socket.destroy();
}

async function cutOverHttp2(): Promise<void> {
  const { method, path, headers, body } = await anyRequest();
  const session = http2.connect(world.url);
  session.on("error", () => undefined);
  const stream = session.request({ ":method": method, ":path": path, ...headers });
  stream.on("error", () => undefined);
  stream.write(body.subarray(0, randomInt(body.length + 1)));
  if (randomInt(2) === 0)
    await Promise.race([
      new Promise((resolve) => stream.once("data", resolve)),
      new Promise((resolve) => setTimeout(resolve, 20)),
    ]);
  if (randomInt(2) === 0) stream.close(http2.constants.NGHTTP2_CANCEL);
  session.destroy();
}

describe("clients that are cut at random", () => {
  it("leave no stream, no place and no byte behind, and harm nobody", async () => {
    for (let round = 0; round < 15; round += 1) {
      await Promise.all(Array.from({ length: 8 }, (_, n) => (n % 2 === 0 ? cutOverHttp1() : cutOverHttp2())));
    }
    await eventually(() => expect(world.gateway.gauges()).toMatchObject({ inFlight: 0, openStreams: 0, heldBytes: 0 }));
    await eventually(() => expect(world.documents.openWatches).toBe(0));
    expect(world.lines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
    const answer = await new Promise<http.IncomingMessage>((resolve) =>
      http.get(`${world.url}/healthz`, { agent: false }, resolve),
    );
    expect(answer.resume().statusCode).toBe(200);
  }, 30_000);
});
