import net from "node:net";
import { eventually } from "@docket/runtime/testing/eventually";
import { afterEach, describe, expect, it } from "@jest/globals";
import { type EdgeResponse, type Listener, startListener } from "./listener.ts";

const running: Listener[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((listener) => listener.drain(0)));
});

/** A listener whose answers are given by hand. */
async function start(): Promise<{ port: number; begun: EdgeResponse[] }> {
  const begun: EdgeResponse[] = [];
  const listener = await startListener({
    host: "127.0.0.1",
    port: 0,
    connections: { total: 10, perAddress: 10, keyOf: (address: string) => address, exempt: () => false },
    http1: { maxHeaderBytes: 8192, headersMs: 5000, keepAliveMs: 5000 },
    http2: { maxStreams: 10, maxHeaderBytes: 8192, idleMs: 5000, firstStreamMs: 5000 },
    firstBytesMs: 5000,
    refusal: () => "HTTP/1.1 400 Bad Request\r\n\r\n",
    onRequest: (_request, response) => begun.push(response),
  });
  running.push(listener);
  return { port: listener.address.port, begun };
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`;

function open(port: number, text: string): { socket: net.Socket; read: () => string } {
  let seen = "";
  const socket = net.connect(port, "127.0.0.1", () => socket.write(text));
  socket.on("error", () => undefined);
  socket.on("data", (bytes) => {
    seen += bytes.toString("latin1");
  });
  return { socket, read: () => seen };
}

describe("requests sent ahead on one connection", () => {
  it("are begun one after the other, each with its socket, and answered in order", async () => {
    const { port, begun } = await start();
    const { socket, read } = open(port, get("/1") + get("/2") + get("/3"));
    for (const turn of [1, 2, 3]) {
      await eventually(() => expect(begun).toHaveLength(turn));
      const response = begun[turn - 1];
      expect(response?.socket).not.toBeNull();
      response?.end(`answer ${turn};`);
    }
    await eventually(() => expect(read().match(/answer \d/g)).toEqual(["answer 1", "answer 2", "answer 3"]));
    socket.destroy();
  });

  it("are not begun when the connection has gone", async () => {
    const { port, begun } = await start();
    const { socket } = open(port, get("/1") + get("/2"));
    await eventually(() => expect(begun).toHaveLength(1));
    const closed = new Promise((resolve) => begun[0]?.once("close", resolve));
    socket.destroy();
    await closed;
    begun[0]?.end();
    const other = open(port, get("/3"));
    await eventually(() => expect(begun).toHaveLength(2));
    begun[1]?.end("answer 3");
    await eventually(() => expect(other.read()).toContain("answer 3"));
    expect(begun).toHaveLength(2);
    other.socket.destroy();
  });

  it("end the connection when they are very many", async () => {
    const { port, begun } = await start();
    const { socket } = open(port, get("/").repeat(100));
    await new Promise((resolve) => socket.once("close", resolve));
    expect(begun).toHaveLength(1);
  });
});
