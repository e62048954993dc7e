// That nothing hostile is connected to: every connection passes a dial that is counted, and real listeners on the loopback
// tell whether somebody came all the same.
import { once } from "node:events";
import { connect, createServer, type Server, Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createAddressRules } from "./addresses.ts";
import { forbidden4, forbidden6, hostileAddressUrls, hostileOtherUrls } from "./hostile_urls.ts";
import { createEgress, type EgressOptions } from "./send.ts";

const sending = { headers: { "webhook-id": "1" }, body: "{}" };

/** Everybody who came to the loopback. */
let visitors = 0;
let loopbackPort = 0;
const listeners: Server[] = [];

async function listen(host: string): Promise<number> {
  const server = createServer((socket) => {
    visitors += 1;
    socket.on("error", () => undefined);
    socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  }).listen(0, host);
  await once(server, "listening");
  listeners.push(server);
  return (server.address() as { port: number }).port;
}

beforeAll(async () => {
  loopbackPort = await listen("127.0.0.1");
  await listen("::1").catch(() => 0);
});

afterAll(() => {
  for (const server of listeners) server.close();
});

/** An egress whose connections are counted; none may be made to where nobody expects one. */
function counted(options: Partial<EgressOptions> = {}) {
  const dialled: string[] = [];
  const egress = createEgress({
    timeoutMs: 5000,
    ...options,
    dial: (address, port) => {
      dialled.push(`${address} ${port}`);
      // Not even a test connects to a foreign address.
      if (address !== "127.0.0.1") return new Socket().destroy(new Error("not in a test"));
      return connect(port, address);
    },
  });
  return { egress, dialled };
}

const resolveTo =
  (...addresses: string[]) =>
  async () =>
    addresses;

describe("a hostile URL", () => {
  const urls = [...hostileAddressUrls(), ...hostileOtherUrls];

  it("is one of more than 500", () => {
    expect(new Set(urls).size).toBeGreaterThan(500);
  });

  it("is refused and never connected to, whatever its spelling; names among them stand for the loopback", async () => {
    const { egress, dialled } = counted({ resolve: resolveTo("127.0.0.1") });
    const before = visitors;
    const wrong: string[] = [];
    for (const url of urls) {
      const outcome = await egress.send({ ...sending, url });
      if (outcome.failure !== "refused") wrong.push(`${JSON.stringify(url)}: ${outcome.failure}`);
    }
    expect(wrong).toEqual([]);
    expect(dialled).toEqual([]);
    expect(visitors).toBe(before);
  });

  it("is refused over http too, and to the very port of a listener", async () => {
    const { egress, dialled } = counted({ allowHttp: true, resolve: resolveTo("127.0.0.1") });
    const before = visitors;
    for (const url of hostileAddressUrls()) {
      const { hostname } = URL.canParse(url) ? new URL(url) : { hostname: "127.0.0.1" };
      expect([url, (await egress.send({ ...sending, url: `http://${hostname}:${loopbackPort}/` })).failure]).toEqual([
        url,
        "refused",
      ]);
    }
    expect([dialled, visitors]).toEqual([[], before]);
  });
});

describe("a name", () => {
  const all = [...forbidden4, ...forbidden6].map(([address]) => address);

  it.each(all)("that stands for %s is not connected to, alone or beside a public address", async (address) => {
    for (const addresses of [[address], ["93.184.215.14", address], [address, "93.184.215.14"]]) {
      const { egress, dialled } = counted({ resolve: resolveTo(...addresses) });
      const outcome = await egress.send({ ...sending, url: "https://receiver.example/" });
      expect([outcome.failure, dialled]).toEqual(["refused", []]);
    }
  });

  it("that rebinds is asked for once, and connected to at the address that was judged", async () => {
    let asked = 0;
    const rebinding = async () => {
      asked += 1;
      return [asked === 1 ? "93.184.215.14" : "127.0.0.1"];
    };
    const { egress, dialled } = counted({ resolve: rebinding });
    const before = visitors;
    await egress.send({ ...sending, url: "https://rebinding.example/" });
    expect([asked, dialled]).toEqual([1, ["93.184.215.14 443"]]);
    expect((await egress.send({ ...sending, url: "https://rebinding.example/" })).failure).toBe("refused");
    expect([asked, dialled.length, visitors]).toEqual([2, 1, before]);
  });

  it("without an address, or that nobody answers for, is a failure of its own", async () => {
    const url = "https://receiver.example/";
    expect((await counted({ resolve: resolveTo() }).egress.send({ ...sending, url })).failure).toBe("name");
    const never = () => new Promise<string[]>(() => undefined);
    expect((await counted({ resolve: never, timeoutMs: 50 }).egress.send({ ...sending, url })).failure).toBe("timeout");
  });
});

describe("a redirection", () => {
  it("is not followed, wherever it leads", async () => {
    const secret = await listen("127.0.0.1");
    for (const status of [300, 301, 302, 303, 304, 307, 308]) {
      const server = createServer((socket) => {
        const location = `location: http://127.0.0.1:${secret}/\r\n`;
        socket.once("data", () =>
          socket.end(`HTTP/1.1 ${status} Go\r\n${location}refresh: 0\r\ncontent-length: 0\r\n\r\n`),
        );
        socket.on("error", () => undefined);
      }).listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as { port: number };
      const { egress, dialled } = counted({ allowHttp: true, allowedRanges: ["127.0.0.0/8"] });
      const before = visitors;
      const outcome = await egress.send({ ...sending, url: `http://127.0.0.1:${port}/` });
      expect(outcome).toMatchObject({ failure: "redirect", status });
      expect([dialled, visitors]).toEqual([[`127.0.0.1 ${port}`], before]);
      server.close();
    }
  });
});

describe("what an operator allows", () => {
  it("can be reached, and nothing else", async () => {
    const { egress, dialled } = counted({ allowHttp: true, allowedRanges: ["127.0.0.1"] });
    const before = visitors;
    expect(await egress.send({ ...sending, url: `http://127.0.0.1:${loopbackPort}/` })).toMatchObject({ status: 200 });
    expect(visitors).toBe(before + 1);
    expect((await egress.send({ ...sending, url: `http://127.0.0.2:${loopbackPort}/` })).failure).toBe("refused");
    expect(dialled).toEqual([`127.0.0.1 ${loopbackPort}`]);
  });

  it("is weaker than what they deny, in every disguise", () => {
    const rules = createAddressRules({ allowed: ["10.0.0.0/8", "fd00::/8"], denied: ["10.9.0.0/16", "93.184.215.14"] });
    const judged = ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203", "fd12::1", "93.184.215.15", "2606:4700::1111"];
    expect(judged.filter((address) => !rules.allows(address))).toEqual([]);
    const denied = ["10.9.1.1", "::ffff:10.9.1.1", "64:ff9b::a09:101", "93.184.215.14", "192.168.0.1", "fe80::1", "no"];
    expect(denied.filter((address) => rules.allows(address))).toEqual([]);
  });

  it("must be ranges", () => {
    for (const range of [
      "10.0.0.0/33",
      "10.0.0/8",
      "host",
      "fd00::/129",
      "10.0.0.0/8/8",
      "fe80::1%eth0",
      "10.0.0.0/x",
    ]) {
      expect(() => createAddressRules({ allowed: [range], denied: [] })).toThrow(range);
    }
  });
});

describe("proxies of the environment", () => {
  it("are not used", async () => {
    const names = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "NODE_USE_ENV_PROXY"] as const;
    const before = names.map((name) => [name, process.env[name]] as const);
    try {
      for (const name of names)
        process.env[name] = name === "NODE_USE_ENV_PROXY" ? "1" : `http://127.0.0.1:${loopbackPort}`;
      const { egress, dialled } = counted({ allowHttp: true, resolve: resolveTo("93.184.215.14") });
      const visited = visitors;
      await egress.send({ ...sending, url: "http://receiver.example/" });
      expect([dialled, visitors]).toEqual([["93.184.215.14 80"], visited]);
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  });
});

describe("a receiver that says again and again that it will answer", () => {
  it("is given up long before the time is over", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.write("HTTP/1.1 100 Continue\r\n\r\n".repeat(100)));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const { egress } = counted({ allowHttp: true, allowedRanges: ["127.0.0.1"], timeoutMs: 60_000 });
    const outcome = await egress.send({ ...sending, url: `http://127.0.0.1:${port}/` });
    expect(outcome).toMatchObject({ failure: "protocol", status: 0 });
    server.close();
  });

  it("may say so a few times", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      const interim = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(3);
      socket.once("data", () => socket.end(`${interim}HTTP/1.1 204 No Content\r\n\r\n`));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const { egress } = counted({ allowHttp: true, allowedRanges: ["127.0.0.1"] });
    expect(await egress.send({ ...sending, url: `http://127.0.0.1:${port}/` })).toMatchObject({ status: 204 });
    server.close();
  });
});
