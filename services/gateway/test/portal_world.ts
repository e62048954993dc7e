// An edge with a portal behind it, whose process is a server in the test's hands.

import http2 from "node:http2";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { startMeshHttpServer } from "@docket/runtime/http/server";
import { testIdentity } from "@docket/runtime/testing/identities";
import type { GatewayOverrides } from "../service.ts";
import { startWorld, type World } from "./world.ts";

export type Page = (request: IncomingMessage, response: ServerResponse) => void;

export interface PortalWorld extends World {
  /** What answers; a test may put another in its place. */
  page: Page;
  /** The requests so far. */
  readonly asked: IncomingMessage[];
  /** Where the portal's process is. */
  readonly address: string;
  /** Where the portal's process calls the edge. */
  readonly inner: string;
}

/** A small page with what one has. */
export const smallPage: Page = (_request, response) => {
  response.writeHead(200, {
    "content-type": "text/html;charset=utf-8",
    "content-security-policy": "script-src 'self'",
    "cache-control": "private, max-age=1",
    "x-frame-options": "ALLOWALL",
    "x-powered-by": "Something",
    "keep-alive": "timeout=1",
    "x-of-the-portal": "kept",
  });
  response.end("<h1>Docket</h1>");
};

export async function startPortalWorld(
  env: Record<string, string> = {},
  workload: Workload = Workload.WEB,
  overrides: GatewayOverrides = {},
): Promise<PortalWorld> {
  await using started = new AsyncDisposableStack();
  const asked: IncomingMessage[] = [];
  const mutable = { page: smallPage };
  const server = await startMeshHttpServer({
    identity: await testIdentity(workload),
    listen: { host: "127.0.0.1", port: 0, variable: "WEB_PORT" },
    callers: [Workload.GATEWAY],
    onRequest: (request, response) => {
      asked.push(request);
      mutable.page(request, response);
    },
    refused: () => undefined,
  });
  started.defer(() => server.drain(0));
  const world = started.use(await startWorld({ WEB_ADDRESS: server.address, EDGE_INNER_PORT: "0", ...env }, overrides));
  const owned = started.move();
  return {
    ...world,
    get page() {
      return mutable.page;
    },
    set page(page) {
      mutable.page = page;
    },
    asked,
    address: server.address,
    inner: world.gateway.innerAddress ?? "",
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Asks over HTTP/2. */
export async function askOverHttp2(
  url: string,
  path: string,
  method = "GET",
): Promise<{ readonly headers: http2.IncomingHttpHeaders; readonly body: string }> {
  const session = http2.connect(url);
  try {
    return await new Promise((resolve, reject) => {
      const stream = session.request({ ":path": path, ":method": method, "x-forwarded-for": "6.6.6.6" });
      let headers: http2.IncomingHttpHeaders = {};
      let body = "";
      stream.setEncoding("utf8");
      stream.once("response", (given) => {
        headers = given;
      });
      stream.on("data", (text: string) => {
        body += text;
      });
      stream.once("end", () => resolve({ headers, body }));
      stream.once("error", reject);
    });
  } finally {
    session.close();
  }
}
