import http2 from "node:http2";
import net from "node:net";
import { eventually } from "@docket/runtime/testing/eventually";
import { afterEach, describe, expect, it } from "@jest/globals";
import { type Listener, type ListenerOptions, startListener } from "./listener.ts";
import { preface, protocolOf } from "./sniff.ts";

const open: Listener[] = [];
afterEach(async () => {
  for (const listener of open.splice(0)) await listener.drain(0);
});

async function start(overrides: Partial<ListenerOptions> = {}): Promise<number> {
  const listener = await startListener({
    host: "127.0.0.1",
    port: 0,
    connections: { total: 100, perAddress: 50, keyOf: (address) => address, exempt: () => false },
    http1: { maxHeaderBytes: 8192, headersMs: 300, keepAliveMs: 300 },
    http2: { maxStreams: 10, maxHeaderBytes: 8192, idleMs: 300, firstStreamMs: 300 },
    firstBytesMs: 300,
    refusal: (status) => `HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
    onRequest: (request, response) => {
      response.setHeader("x-seen", request.httpVersion);
      response.end(`${request.httpVersion} ${request.url}`);
    },
    ...overrides,
  });
  open.push(listener);
  return listener.address.port;
}

/** Sends pieces one after the other and resolves with all that came back once the server has closed. */
async function talk(port: number, pieces: readonly (string | Buffer)[]): Promise<string> {
  const socket = net.connect(port, "127.0.0.1");
  const received: Buffer[] = [];
  socket.on("data", (chunk) => received.push(chunk));
  socket.on("error", () => undefined);
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  for (const piece of pieces) await new Promise<void>((resolve) => socket.write(piece, () => setImmediate(resolve)));
  await closed;
  return Buffer.concat(received).toString("latin1");
}

function get(session: http2.ClientHttp2Session, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":path": path });
    let body = "";
    stream.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    stream.on("end", () => resolve(body));
    stream.on("error", reject);
  });
}

/** Asks and gives up, again and again; answers whether the session survives it. */
async function survivesResets(port: number, count: number): Promise<boolean> {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  session.on("error", () => undefined);
  try {
    for (let given = 0; given < count && !session.destroyed && !session.closed; given += 5) {
      const streams = Array.from({ length: 5 }, () => session.request({ ":method": "POST", ":path": "/" }));
      await Promise.all(
        streams.map(async (stream) => {
          stream.on("error", () => undefined);
          const closed = new Promise((resolve) => stream.once("close", resolve));
          stream.close(http2.constants.NGHTTP2_CANCEL);
          await closed;
        }),
      );
    }
    return await get(session, "/after").then(
      (body) => body === "2.0 /after",
      () => false,
    );
  } finally {
    session.destroy();
  }
}

describe("requests that are given up", () => {
  it("end the connection of one client that does nothing else, and not that of a proxy with many people's", async () => {
    const options = { total: 100, perAddress: 50, keyOf: (address: string) => address };
    const onRequest: ListenerOptions["onRequest"] = (request, response) => {
      if (request.url !== "/") response.end(`${request.httpVersion} ${request.url}`);
    };
    const ofClients = await start({ onRequest, connections: { ...options, exempt: () => false } });
    expect(await survivesResets(ofClients, 3000)).toBe(false);
    const ofProxies = await start({ onRequest, connections: { ...options, exempt: () => true } });
    expect(await survivesResets(ofProxies, 3000)).toBe(true);
  });
});

describe("the first bytes", () => {
  it.each([
    ["", undefined],
    ["P", undefined],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n", undefined],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "h2"],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0", "h2"],
    ["PRI * HTTP/2.0\r\n\r\nSX", "h1"],
    ["PROPFIND / HTTP/1.1", "h1"],
    ["GET / HTTP/1.1", "h1"],
  ])("of %j are %s", (bytes, protocol) => {
    expect(protocolOf(Buffer.from(bytes, "latin1"))).toBe(protocol);
  });
});

describe("one port", () => {
  it("answers HTTP/1.1", async () => {
    const port = await start();
    const answer = await talk(port, ["GET /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"]);
    expect(answer).toContain("200 OK");
    expect(answer).toContain("1.1 /a");
  });

  it("answers HTTP/2 with prior knowledge", async () => {
    const port = await start();
    const session = http2.connect(`http://127.0.0.1:${port}`);
    expect(await get(session, "/b")).toBe("2.0 /b");
    session.close();
  });

  it("takes a preface and a request that come byte by byte", async () => {
    const port = await start();
    const proxied = net.createServer((client) => {
      const server = net.connect(port, "127.0.0.1");
      server.on("error", () => undefined);
      server.pipe(client);
      client.on("error", () => undefined);
      client.on("data", async (chunk) => {
        client.pause();
        for (const byte of chunk)
          await new Promise((resolve) => server.write(Buffer.of(byte), () => setImmediate(resolve)));
        client.resume();
      });
      client.on("close", () => server.destroy());
    });
    await new Promise<void>((resolve) => proxied.listen(0, "127.0.0.1", resolve));
    const session = http2.connect(`http://127.0.0.1:${(proxied.address() as net.AddressInfo).port}`);
    expect(await get(session, "/slow")).toBe("2.0 /slow");
    session.destroy();
    proxied.close();
  });

  it("closes a connection that says nothing", async () => {
    expect(await talk(await start(), [])).toBe("");
  });

  it("closes a connection that stops within the preface", async () => {
    expect(await talk(await start(), [preface.subarray(0, 10)])).toBe("");
  });

  it("closes an HTTP/2 session that opens no stream", async () => {
    const answer = await talk(await start(), [preface, Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]);
    expect(answer.length).toBeGreaterThan(0);
  });

  it("ends an HTTP/2 session whose peer has hung up", async () => {
    let ended = false;
    const port = await start({
      http2: { maxStreams: 10, maxHeaderBytes: 8192, idleMs: 60_000, firstStreamMs: 60_000 },
      onRequest: (_request, response) => {
        response.once("close", () => {
          ended = true;
        });
        (response as { write(text: string): boolean }).write("never ends");
      },
    });
    const session = http2.connect(`http://127.0.0.1:${port}`);
    session.on("error", () => undefined);
    const stream = session.request({ ":path": "/" });
    stream.on("error", () => undefined);
    await new Promise((resolve) => stream.once("data", resolve));
    session.destroy();
    await eventually(() => expect(ended).toBe(true));
    await eventually(() => expect(open[0]?.connections).toBe(0));
  });

  it("gives 408 to headers that do not end", async () => {
    expect(await talk(await start(), ["GET / HTTP/1.1\r\nhost: x\r\nx-a: "])).toContain("408");
  });

  it("gives 431 to headers that are too large", async () => {
    expect(await talk(await start(), [`GET / HTTP/1.1\r\nhost: x\r\nx-a: ${"a".repeat(9000)}\r\n\r\n`])).toContain(
      "431",
    );
  });

  it("gives 400 to bytes that are no HTTP", async () => {
    expect(await talk(await start(), ["hello there\r\n\r\n"])).toContain("400");
  });

  it("takes only so many connections from one address", async () => {
    const port = await start({
      connections: { total: 100, perAddress: 2, keyOf: (address) => address, exempt: () => false },
    });
    const held = [net.connect(port, "127.0.0.1"), net.connect(port, "127.0.0.1")];
    await Promise.all(held.map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
    const [first, second] = held as [net.Socket, net.Socket];
    // An answer on both proves that they were counted before the third comes.
    first.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    second.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    await Promise.all(held.map((socket) => new Promise((resolve) => socket.once("data", resolve))));
    expect(await talk(port, ["GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"])).toBe("");
    for (const socket of held) socket.destroy();
  });
});

describe("draining", () => {
  it("lets a request in flight finish, tells HTTP/2 peers to go, and takes no more", async () => {
    let release = () => {};
    const arrived = new Promise<void>((resolve) => {
      release = resolve;
    });
    let answer = () => {};
    const port = await start({
      onRequest: (_request, response) => {
        release();
        answer = () => response.end("done");
      },
    });
    const session = http2.connect(`http://127.0.0.1:${port}`);
    const goaway = new Promise((resolve) => session.once("goaway", resolve));
    const body = get(session, "/");
    await arrived;
    const drained = open[0]?.drain(5000);
    await goaway;
    answer();
    expect(await body).toBe("done");
    await drained;
    expect(await talk(port, [])).toBe("");
  });
});
