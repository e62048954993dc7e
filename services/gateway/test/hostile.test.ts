// What is wrong, too much or too slow is refused with a clear error, and the edge goes on.

import { randomBytes } from "node:crypto";
import http2 from "node:http2";
import net from "node:net";
import { gzipSync } from "node:zlib";
import { newId } from "@docket/runtime/ids";
import { eventually } from "@docket/runtime/testing/eventually";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startWorld, type World } from "./world.ts";

let world: World;
let authorization = "";
const getDocument = "/docket.document.v1.DocumentService/GetDocument";
const watchChanges = "/docket.document.v1.ChangeService/WatchChanges";
beforeAll(async () => {
  world = await startWorld({
    EDGE_MESSAGE_TIMEOUT: "400ms",
    EDGE_HEADERS_TIMEOUT: "400ms",
    EDGE_FIRST_BYTES_TIMEOUT: "400ms",
  });
  authorization = `Bearer ${world.users.signIn().secret}`;
});
afterAll(async () => {
  // It is still there, and well.
  const answer = await fetch(world.url + getDocument, {
    method: "POST",
    headers: { "content-type": "application/json", authorization },
    body: JSON.stringify({ documentId: newId() }),
  });
  expect(answer.status).toBe(200);
  expect(world.lines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  await world[Symbol.asyncDispose]();
});

interface Told {
  readonly status: number;
  readonly text: string;
  readonly requestId: string | null;
}

async function post(
  path: string,
  contentType: string,
  body: Buffer | string,
  headers: Record<string, string> = {},
): Promise<Told> {
  const answer = await fetch(world.url + path, {
    method: "POST",
    headers: { "content-type": contentType, authorization, ...headers },
    body,
  });
  return { status: answer.status, text: await answer.text(), requestId: answer.headers.get("x-request-id") };
}

/** The reason in a Connect error. */
function reasonIn(text: string): string | undefined {
  const { details = [] } = JSON.parse(text) as { details?: { type: string; debug?: { reason?: string } }[] };
  return details.find(({ type }) => type === "docket.error.v1.ErrorInfo")?.debug?.reason;
}

function expectNoStack({ text, requestId }: Told): void {
  expect(text).not.toMatch(/\bat .*\.(ts|js):\d|node_modules|Error:/);
  expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
}

describe("a message", () => {
  it.each([
    ["that is no JSON", "application/json", "{"],
    ["that is empty", "application/json", ""],
    ["that is a list", "application/json", "[]"],
    ["of the wrong shape", "application/json", '{"documentId": 5}'],
    ["nested very deeply", "application/json", `{"documentId":${"[".repeat(20_000)}`],
    ["that is no UTF-8", "application/json", Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
    ["that is no protobuf", "application/proto", Buffer.from([0xff, 0xff, 0xff])],
    ["cut within a field", "application/proto", Buffer.from([0x0a, 0x7f, 0x61])],
    ["of a length beyond 2^31", "application/proto", Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])],
  ])("%s is INVALID_ARGUMENT", async (_name, type, body) => {
    const told = await post(getDocument, type, body);
    expect(told.status).toBe(400);
    expect(["REASON_MALFORMED", "REASON_INVALID_ARGUMENT"]).toContain(reasonIn(told.text));
    expectNoStack(told);
  });

  it("that is too large is refused, whether its length is told or not", async () => {
    const body = JSON.stringify({ documentId: "x".repeat(2_000_000) });
    const told = await post(getDocument, "application/json", body);
    expect([told.status, reasonIn(told.text)]).toEqual([429, "REASON_MESSAGE_TOO_LARGE"]);
    const chunked = await exchange(
      `POST ${getDocument} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`,
      body,
    );
    expect(chunked).toContain("REASON_MESSAGE_TOO_LARGE");
  });

  it("that swells when unpacked is refused, and does not fill the memory", async () => {
    const bomb = gzipSync(Buffer.alloc(80 << 20, 32));
    const before = process.memoryUsage.rss();
    const told = await post(getDocument, "application/json", bomb, { "content-encoding": "gzip" });
    expect(told.status).toBeGreaterThanOrEqual(400);
    expect(process.memoryUsage.rss() - before).toBeLessThan(48 << 20);
    expectNoStack(told);
  });

  it("packed in an unknown way, or not as it says, is refused", async () => {
    expect((await post(getDocument, "application/json", "{}", { "content-encoding": "zstd" })).status).toBe(501);
    const told = await post(getDocument, "application/json", "{}", { "content-encoding": "gzip" });
    expect(told.status).toBeGreaterThanOrEqual(400);
    expectNoStack(told);
  });

  it("that does not come to its end is given up", async () => {
    const answer = await exchange(
      `POST ${getDocument} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
    );
    expect(answer).toContain("504");
    expect(answer).toContain("REASON_DEADLINE_EXCEEDED");
  });

  it("cut with its connection harms nobody", async () => {
    const socket = net.connect(world.port, "127.0.0.1");
    socket.write(
      `POST ${getDocument} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
      () => socket.destroy(),
    );
    await new Promise((resolve) => socket.once("close", resolve));
  });
});

/** Sends a raw request, and one chunk if given, and reads until the answer's head and body have come or the edge closes. */
function exchange(head: string, chunk?: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(world.port, "127.0.0.1");
    let seen = "";
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      seen += data.toString("latin1");
      const [, length] = /content-length: (\d+)/i.exec(seen) ?? [];
      const [, body] = seen.split(/\r\n\r\n/, 2);
      if (length !== undefined && body !== undefined && body.length >= Number(length)) socket.destroy();
    });
    socket.once("close", () => resolve(seen));
    socket.write(head);
    if (chunk !== undefined) socket.write(`${chunk.length.toString(16)}\r\n${chunk}\r\n0\r\n\r\n`);
  });
}

describe("a frame of a stream", () => {
  const envelope = (flags: number, length: number, bytes: Buffer) =>
    Buffer.concat([
      Buffer.from([flags, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255]),
      bytes,
    ]);

  it.each([
    ["that is cut", envelope(0, 100, Buffer.from("{}"))],
    ["of 4 GiB", envelope(0, 0xffffffff, Buffer.from("{}"))],
    ["that is no message", envelope(0, 1, Buffer.from("{"))],
    ["twice where one belongs", Buffer.concat([envelope(0, 2, Buffer.from("{}")), envelope(0, 2, Buffer.from("{}"))])],
  ])("%s ends the stream with an error", async (_name, body) => {
    const told = await post(watchChanges, "application/connect+json", body);
    expect(told.status).toBe(200);
    expect(told.text).toContain('"error"');
    expect(told.text).toMatch(/REASON_(MALFORMED|MESSAGE_TOO_LARGE|UNIMPLEMENTED)/);
    expectNoStack(told);
  });

  it.each([
    ["that is cut", envelope(0, 100, Buffer.from("xx"))],
    ["of 4 GiB", envelope(0, 0xffffffff, Buffer.alloc(0))],
    ["that is no message", envelope(0, 3, Buffer.from([0xff, 0xff, 0xff]))],
  ])("%s over gRPC is an error with a reason", async (_name, body) => {
    const { trailers } = await grpc(getDocument, body);
    expect(["3", "8", "13"]).toContain(trailers["grpc-status"]);
    expect(trailers["grpc-status-details-bin"]).toBeDefined();
  });
});

async function grpc(
  path: string,
  body: Buffer,
  headers: Record<string, string> = {},
): Promise<{ headers: Record<string, unknown>; trailers: Record<string, unknown> }> {
  const session = http2.connect(world.url);
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    authorization,
    ...headers,
  });
  let head: Record<string, unknown> = {};
  let trailers: Record<string, unknown> = {};
  stream.on("response", (received) => {
    head = received;
  });
  stream.on("trailers", (received) => {
    trailers = received;
  });
  stream.on("error", () => undefined);
  stream.end(body);
  stream.resume();
  await new Promise((resolve) => stream.once("close", resolve));
  session.close();
  return { headers: head, trailers: "grpc-status" in head ? head : trailers };
}

describe("an address", () => {
  it.each([
    "/docket.document.v1.DocumentService/Nothing",
    "/docket.user.v1.TokenService/ExchangeSession",
    "/docket.nothing.v1.Service/Method",
  ])("%s is no RPC of the edge", async (path) => {
    const told = await post(path, "application/json", "{}");
    expect(told.status).toBe(404);
    expect(JSON.parse(told.text)).toMatchObject({ reason: "UNIMPLEMENTED" });
    expectNoStack(told);
    expect((await grpc(path, Buffer.alloc(5))).trailers["grpc-status"]).toBe("12");
  });

  it.each(["/", "/nothing", "/healthz/", "/files", "/../etc/passwd", "/%00", "/files/documents/x"])(
    "%s takes no POST, or is not there",
    async (path) => {
      const told = await post(path, "application/json", "{}");
      expect([404, 405]).toContain(told.status);
      expectNoStack(told);
    },
  );

  it.each([
    "GET // HTTP/1.1\r\nhost: x",
    "GET //evil.example/ HTTP/1.1\r\nhost: x",
    "GET / HTTP/1.1\r\nhost: a b",
    "GET http://x/ HTTP/1.1\r\nhost: x",
    "GET / HTTP/1.1",
  ])("in the odd request %j is refused", async (head) => {
    expect(await exchange(`${head}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400/);
  });

  it.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/xml",
    "application/connect+json",
    "application/grpc+json2",
  ])("does not take %s", async (type) => {
    const told = await post(getDocument, type, "{}");
    expect([415, 404]).toContain(told.status);
    expectNoStack(told);
  });
});

describe("headers", () => {
  it("that are too large are refused", async () => {
    expect(await exchange(`GET / HTTP/1.1\r\nhost: x\r\nx: ${"a".repeat(20_000)}\r\n\r\n`)).toContain("HTTP/1.1 431");
    const session = http2.connect(world.url);
    session.on("error", () => undefined);
    const stream = session.request({ ":path": "/healthz", x: "a".repeat(40_000) });
    stream.on("error", () => undefined);
    const status = await new Promise((resolve) => {
      stream.once("response", (received) => resolve(received[":status"]));
      stream.once("close", () => resolve("closed"));
    });
    expect([431, "closed"]).toContain(status);
    session.destroy();
  });

  it("that come slowly are given up, with a request id", async () => {
    const answer = await exchange("GET / HTTP/1.1\r\nhost: x\r\nx: ");
    expect(answer).toContain("HTTP/1.1 408");
    expect(answer).toMatch(/x-request-id: [0-9a-f-]{36}/);
  });

  it("that smuggle a second length are refused", async () => {
    const answer = await exchange(
      "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    );
    expect(answer).toContain("HTTP/1.1 400");
  });
});

describe("an answer that nobody reads", () => {
  it.each(["1.1", "2"])("is ended after a while over HTTP/%s", async (version) => {
    await using patient = await startWorld({ EDGE_TRANSFER_IDLE_TIMEOUT: "300ms" });
    patient.documents.title = "x".repeat(3_900_000);
    const headers = {
      authorization: `Bearer ${patient.users.signIn().secret}`,
      "content-type": "application/json",
      "accept-encoding": "identity",
    };
    const body = JSON.stringify({ documentId: newId() });
    if (version === "2") {
      const session = http2.connect(patient.url);
      session.on("error", () => undefined);
      const stream = session.request({ ":method": "POST", ":path": getDocument, ...headers });
      stream.on("error", () => undefined);
      stream.end(body);
      await new Promise((resolve) => stream.once("response", resolve));
      await eventually(() => expect(patient.gateway.gauges().inFlight).toBe(0));
      session.destroy();
    } else {
      const socket = net.connect(patient.port, "127.0.0.1").pause();
      socket.on("error", () => undefined);
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
      const one = `POST ${getDocument} HTTP/1.1\r\nhost: x\r\n${lines.join("\r\n")}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
      // More than the system's own buffers hold.
      socket.write(one.repeat(10));
      await eventually(() => expect(patient.gateway.gauges().connections).toBe(1));
      await eventually(() => expect(patient.gateway.gauges()).toMatchObject({ connections: 0, inFlight: 0 }));
      socket.destroy();
    }
  });
});

describe("floods", () => {
  it("of streams that are reset at once end their session, and nobody else's", async () => {
    const session = http2.connect(world.url);
    session.on("error", () => undefined);
    const ended = new Promise((resolve) => {
      session.once("goaway", resolve);
      session.once("close", resolve);
    });
    for (let n = 0; n < 4000 && !session.destroyed && !session.closed; n += 1) {
      const stream = session.request({ ":path": "/healthz" });
      stream.on("error", () => undefined);
      stream.close(http2.constants.NGHTTP2_CANCEL);
      if (n % 200 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await ended;
    session.destroy();
    expect((await fetch(`${world.url}/healthz`)).status).toBe(200);
  });

  it("of random bytes are survived", async () => {
    await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        const head = n % 2 === 0 ? Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") : Buffer.alloc(0);
        const socket = net.connect(world.port, "127.0.0.1");
        socket.on("error", () => undefined);
        socket.resume();
        socket.end(Buffer.concat([head, randomBytes(2000)]));
        await new Promise((resolve) => socket.once("close", resolve));
      }),
    );
    expect((await fetch(`${world.url}/healthz`)).status).toBe(200);
  });
});
