// The portal's process as the edge meets it, with a handler of the test's own in place of the build.

import { mkdir, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { openMeshHttpClient } from "@docket/runtime/http/client";
import { startMeshHttpServer } from "@docket/runtime/http/server";
import { eventually } from "@docket/runtime/testing/eventually";
import { testIdentity } from "@docket/runtime/testing/identities";
import { captureLog } from "@docket/runtime/testing/log";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { readConfig } from "./config.ts";
import { type Handler, loadHandler } from "./output.ts";
import { startWeb } from "./service.ts";

interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** An edge that writes down what it is asked, and the portal's process before it. */
async function startBoth(
  handler: Handler,
  edge: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) => response.end("{}"),
) {
  await using started = new AsyncDisposableStack();
  const asked: Asked[] = [];
  const log = captureLog();
  const gateway = await testIdentity(Workload.GATEWAY);
  const inner = await startMeshHttpServer({
    identity: gateway,
    listen: { host: "127.0.0.1", port: 0, variable: "EDGE_INNER_PORT" },
    callers: [Workload.WEB],
    onRequest: async (request, response) => {
      let body = "";
      for await (const piece of request.setEncoding("utf8")) body += piece;
      asked.push({ method: request.method, url: request.url, headers: request.headers, body });
      edge(request, response);
    },
    refused: () => undefined,
  });
  started.defer(() => inner.drain(0));
  const config = readConfig({ WEB_PORT: "0", GATEWAY_INNER_ADDRESS: inner.address });
  const identity = await testIdentity(Workload.WEB);
  const web = started.use(await startWeb(config, { identity, logger: log.logger, handler }));
  const client = started.use(
    openMeshHttpClient({ identity: gateway, workload: Workload.WEB, address: () => web.address }),
  );
  const owned = started.move();
  return {
    asked,
    log,
    web,
    get: async (path: string, headers: Record<string, string> = {}, signal = AbortSignal.timeout(10_000)) => {
      const answer = await client.send({ method: "GET", path, headers, signal, answerMs: 10_000 });
      let body = "";
      for await (const piece of answer.setEncoding("utf8")) body += piece;
      return { status: answer.statusCode, headers: answer.headers, body };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const visitor = {
  "x-forwarded-for": "203.0.113.7",
  "x-forwarded-host": "docket.example.com",
  "x-forwarded-proto": "https",
  "x-request-id": "request-of-a-page",
  cookie: "docket=secret-of-a-session",
};

describe("the process", () => {
  it("answers what the edge asks, under the host that the visitor addressed", async () => {
    await using both = await startBoth((request, response) => response.end(`${request.url} ${request.headers.host}`));
    expect((await both.get("/w/1?a=b", visitor)).body).toBe("/w/1?a=b docket.example.com");
  });

  it("says that it is alive", async () => {
    await using both = await startBoth(() => undefined);
    expect((await both.get("/healthz")).body).toBe('{"status":"alive"}');
  });

  it("leaves a line for each page, without its path and cookie", async () => {
    await using both = await startBoth((_request, response) => response.end());
    await both.get("/invitations/secret-of-a-link", visitor);
    const line = await eventually(() => both.log.lines().find(({ msg }) => msg === "request") ?? false);
    expect(line).toMatchObject({ request_id: "request-of-a-page", route: "page", status: 200, client: "203.0.113.7" });
    expect(JSON.stringify(both.log.lines())).not.toContain("secret-of");
  });

  it("answers 500 where the build's own code fails, and goes on", async () => {
    await using both = await startBoth((request, response) => {
      if (request.url === "/throws") throw new Error("a defect");
      if (request.url === "/rejects") return Promise.reject(new Error("a defect"));
      return response.end("fine");
    });
    expect([(await both.get("/throws")).status, (await both.get("/rejects")).status]).toEqual([500, 500]);
    expect((await both.get("/")).body).toBe("fine");
    expect(both.log.lines().filter(({ msg }) => msg === "page failed")).toHaveLength(2);
  });

  it("finishes pages under way when it is told to stop", async () => {
    let finish: (() => void) | undefined;
    await using both = await startBoth((_request, response) => {
      finish = () => response.end("whole");
    });
    const page = both.get("/");
    await eventually(() => finish !== undefined);
    const ended = both.web[Symbol.asyncDispose]();
    finish?.();
    expect((await page).body).toBe("whole");
    await ended;
  });

  it("names its own setting when the port is taken", async () => {
    await using both = await startBoth(() => undefined);
    const config = readConfig({ WEB_PORT: both.web.address.split(":")[1] });
    const second = startWeb(config, { identity: await testIdentity(Workload.WEB), handler: () => undefined });
    await expect(second).rejects.toThrow("(set WEB_PORT to another one)");
  });
});

describe("a page's way to the edge", () => {
  const page =
    (work: (edge: typeof fetch) => Promise<unknown>): Handler =>
    async (request, response) => {
      if (request.edgeFetch === undefined) throw new Error("no way to the edge");
      response.end(JSON.stringify(await work(request.edgeFetch)));
    };

  it("goes to the edge whatever host is named, as the visitor who asks for the page", async () => {
    await using both = await startBoth(
      page(async (edge) => {
        const answer = await edge("https://elsewhere.example/docket.user.v1.SessionService/GetSession?x=1", {
          method: "POST",
          headers: { "content-type": "application/json", "x-forwarded-for": "6.6.6.6", "accept-encoding": "gzip" },
          body: '{"a":1}',
        });
        return [answer.status, answer.ok, await answer.json()];
      }),
    );
    expect((await both.get("/", visitor)).body).toBe("[200,true,{}]");
    expect(both.asked).toMatchObject([
      { method: "POST", url: "/docket.user.v1.SessionService/GetSession?x=1", body: '{"a":1}' },
    ]);
    const { host, ...told } = visitor as Record<string, string>;
    expect(both.asked[0]?.headers).toMatchObject({ ...told, "content-length": "7" });
    expect(both.asked[0]?.headers["accept-encoding"]).toBeUndefined();
    expect(host).toBeUndefined();
  });

  it("keeps visitors apart", async () => {
    await using both = await startBoth(page(async (edge) => (await edge("http://edge/who")).status));
    await Promise.all(
      [1, 2, 3, 4, 5, 6].map((n) =>
        both.get("/", { cookie: `docket=person-${n}`, "x-request-id": `page-number-${n}` }),
      ),
    );
    for (const { headers } of both.asked) {
      expect(headers.cookie).toBe(`docket=person-${String(headers["x-request-id"]).slice(-1)}`);
    }
    expect(both.asked).toHaveLength(6);
  });

  it("gives back cookies, errors and streams as they come", async () => {
    await using both = await startBoth(
      page(async (edge) => {
        const answer = await edge(new Request("http://edge/x", { method: "POST", body: new Uint8Array([1, 2]) }));
        const pieces: number[] = [];
        for await (const piece of answer.body ?? []) pieces.push(piece.byteLength);
        return [answer.status, answer.headers.getSetCookie(), pieces.reduce((sum, size) => sum + size, 0)];
      }),
      (_request, response) => {
        response.writeHead(429, [
          ["set-cookie", "a=1"],
          ["set-cookie", "b=2"],
        ] as never);
        response.write(Buffer.alloc(100_000));
        response.end(Buffer.alloc(100_000));
      },
    );
    expect(JSON.parse((await both.get("/")).body)).toEqual([429, ["a=1", "b=2"], 200_000]);
  });

  it("ends its calls when the visitor goes", async () => {
    let cut = false;
    await using both = await startBoth(
      page(async (edge) => (await edge("http://edge/endless")).text()),
      (_request, response) => void response.once("close", () => (cut = true)),
    );
    const gone = new AbortController();
    const asked = both.get("/", {}, gone.signal).catch(() => undefined);
    await eventually(() => both.asked.length === 1);
    gone.abort();
    await asked;
    await eventually(() => cut);
  });

  it("ends a call by its own signal, and fails like fetch when the edge is away", async () => {
    const kinds: unknown[] = [];
    const handler: Handler = async (request, response) => {
      const kind = async (signal?: AbortSignal) =>
        await request.edgeFetch?.("http://edge/", signal ? { signal } : {}).catch(({ name }) => name);
      kinds.push(await kind(AbortSignal.abort()), await kind());
      response.end();
    };
    const gateway = await testIdentity(Workload.GATEWAY);
    const config = readConfig({ WEB_PORT: "0", GATEWAY_INNER_ADDRESS: "127.0.0.1:1" });
    const logger = captureLog().logger;
    await using web = await startWeb(config, { identity: await testIdentity(Workload.WEB), handler, logger });
    using client = openMeshHttpClient({ identity: gateway, workload: Workload.WEB, address: () => web.address });
    const signal = AbortSignal.timeout(10_000);
    (await client.send({ method: "GET", path: "/", headers: {}, signal, answerMs: 10_000 })).resume();
    expect(kinds).toEqual(["AbortError", "TypeError"]);
  });
});

describe("the build", () => {
  const source = "export const listener = (_request, response) => response.end('from the build');";

  it("lies in the folder, or in the one beside that build.json names", async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, "server"));
    await writeFile(join(folder.path, "server", "index.mjs"), source);
    expect(await loadHandler(folder.path)).toBeInstanceOf(Function);
    await mkdir(join(folder.path, "0abc", "server"), { recursive: true });
    await writeFile(join(folder.path, "0abc", "server", "index.mjs"), "export const listener = 1;");
    await writeFile(join(folder.path, "build.json"), '{"folder":"0abc"}');
    await expect(loadHandler(folder.path)).rejects.toThrow("0abc");
    await writeFile(join(folder.path, "build.json"), '{"folder":"../elsewhere"}');
    expect(await loadHandler(folder.path)).toBeInstanceOf(Function);
  });

  it.each([
    ["missing", undefined, "There is no build of the portal in"],
    ["damaged", "export const listener = ;", "cannot be loaded"],
    ["of another kind", "export default 1;", "has no listener"],
  ])("that is %s is told in one sentence with what to do", async (_kind, text, says) => {
    await using folder = await temporaryFolder();
    if (text !== undefined) {
      await mkdir(join(folder.path, "server"));
      await writeFile(join(folder.path, "server", "index.mjs"), text);
    }
    const refused = loadHandler(folder.path);
    await expect(refused).rejects.toMatchObject({ name: "StartError", message: expect.stringContaining(says) });
    await expect(refused).rejects.toThrow(/^[^\n]*`npm run build`[^\n]*$/);
  });
});

describe("the settings", () => {
  it.each([
    ["WEB_PORT", "70000"],
    ["GATEWAY_INNER_ADDRESS", "gateway"],
    ["WEB_CALL_TIMEOUT", "soon"],
  ])("name the variable at fault: %s", (variable, value) => {
    expect(() => readConfig({ [variable]: value })).toThrow(variable);
  });
});
