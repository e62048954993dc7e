import { once } from "node:events";
import http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { bodyOf, stopUnreadBody } from "./exchange.ts";

const graceMs = 100;

/** Reads the first piece of a body and answers, whatever else comes; `/slow` waits so long that a body's grace has passed. */
const server = http.createServer(async (request, response) => {
  request.on("error", () => undefined);
  response.once("finish", () => stopUnreadBody(request, response, graceMs));
  for await (const _ of bodyOf(request)) break;
  if (request.url === "/slow") await pause(graceMs * 3);
  response.end("read as much as was needed");
});

describe("a body that is not read to its end", () => {
  let url = "";
  // One connection, used again.
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

  beforeAll(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    agent.destroy();
    server.close();
  });

  const post = (path: string, body: Buffer | string) =>
    new Promise<{ port: number | undefined; status: number | undefined }>((resolve, reject) => {
      const request = http.request(`${url}${path}`, { method: "POST", agent }, (response) => {
        const { localPort } = response.socket;
        response.resume().once("end", () => resolve({ port: localPort, status: response.statusCode }));
      });
      request.once("error", reject).end(body);
    });

  it("leaves the connection to the requests after it, for as long as they take", async () => {
    const first = await post("/", Buffer.alloc(1 << 20));
    const second = await post("/slow", "x");
    const third = await post("/", "x");
    expect([second.status, third.status]).toEqual([200, 200]);
    expect([second.port, third.port]).toEqual([first.port, first.port]);
  });

  it("is cut off when it never ends", async () => {
    const own = new http.Agent({ keepAlive: true });
    const request = http.request(`${url}/`, { method: "POST", agent: own });
    request.on("error", () => undefined).on("response", (response) => response.resume().on("error", () => undefined));
    request.write("the first piece of many");
    const [socket] = (await once(request, "socket")) as [Socket];
    const answered = once(request, "response");
    const cut = once(socket, "close");
    await answered;
    expect(socket.destroyed).toBe(false);
    await cut;
    own.destroy();
  });
});
