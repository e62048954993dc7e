// Whether an installation answers as it must, in seconds and without leaving anything there: what a pipeline asks of DEV,
// STAGE and PROD after it has deployed. It is given an address and knows nothing of what is behind it.

import { strict as assert } from "node:assert";
import { connect } from "node:tls";
import { Code, ConnectError } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { reasonOf } from "@docket/runtime/errors";
import { clientsOf, edgeTransport, type Protocol } from "./person.ts";

/** What a smoke test needs. */
export interface SmokeOptions {
  /** Where the edge is: `https://docket.example.com`. */
  readonly url: string;
  /** Whether a portal must be there. Default: true. */
  readonly portal?: boolean;
  /** A session or API key, with which one list is read. Default: nobody signs in. */
  readonly secret?: string;
}

/** What one check found. */
export interface Checked {
  readonly name: string;
  /** What is wrong; undefined when all is well. */
  readonly fault?: string;
  /** Why it was not asked. */
  readonly leftOut?: string;
}

/** How long a certificate must still be good: AWS renews 60 days before the end, so less than this means that it did not. */
const certificateDays = 21;
const patienceMs = 10_000;

/** A text says why it was not asked. */
type Check = (options: SmokeOptions) => Promise<unknown>;

const checks: Readonly<Record<string, Check>> = {
  "is alive": async ({ url }) => assert.deepEqual(await json(url, "/healthz"), { status: "alive" }),
  "is ready, and every service behind it serves": async ({ url }) => {
    const { status, services } = (await json(url, "/readyz")) as { status: string; services: Record<string, string> };
    assert.equal(status, "ready");
    assert.deepEqual(
      Object.entries(services).filter(([, state]) => state !== "serving"),
      [],
    );
  },
  "says which build it is": async ({ url }) => {
    const { version, build } = (await json(url, "/version")) as Record<string, unknown>;
    assert.match(String(version), /^\d+\.\d+/);
    assert.ok(build);
  },
  "publishes the keys of its tokens, and no private one": async ({ url }) => {
    const { keys } = (await json(url, "/.well-known/jwks.json")) as { keys: Record<string, unknown>[] };
    assert.ok(keys.length > 0, "there are keys");
    for (const key of keys) assert.deepEqual([key.kty, key.crv, "d" in key], ["OKP", "Ed25519", false]);
  },
  "answers over gRPC": (options) => answersOver("grpc", options),
  "answers over gRPC-Web": (options) => answersOver("grpc-web", options),
  "answers over Connect": (options) => answersOver("connect-json", options),
  "refuses whoever has no session": ({ url }) => refuses(url, undefined, Reason.SESSION_REQUIRED),
  "refuses a session that it never gave": ({ url }) => refuses(url, `s_${"0".repeat(43)}`, Reason.SESSION_INVALID),
  "keeps the mesh's own calls inside": async ({ url }) => {
    const response = await ask(url, "/docket.user.v1.TokenService/ExchangeSession", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    assert.equal(response.status, 404);
  },
  "takes uploads by tus": async ({ url }) => {
    const response = await ask(url, "/files/uploads", { method: "OPTIONS" });
    assert.match(response.headers.get("tus-version") ?? "", /1\.0\.0/);
  },
  "tells browsers what not to do": async ({ url }) => {
    const { headers } = await ask(url, "/healthz");
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.match(headers.get("content-security-policy") ?? "", /frame-ancestors 'none'/);
    if (url.startsWith("https:")) assert.match(headers.get("strict-transport-security") ?? "", /max-age=\d{7,}/);
  },
  "has a certificate that stays good": async ({ url }) => {
    if (!url.startsWith("https:")) return "no TLS here";
    assert.ok((await daysLeft(url)) >= certificateDays, "the certificate ends soon");
  },
  "shows the portal": async ({ url, portal = true }) => {
    if (!portal) return "--no-portal";
    const response = await ask(url, "/", { headers: { accept: "text/html" } });
    assert.equal(response.status, 200);
    assert.match(response.headers.get("content-type") ?? "", /^text\/html/);
    assert.match(await response.text(), /<html/);
  },
  "knows who has a secret": async ({ url, secret }) => {
    if (secret === undefined) return "no --secret-file";
    await clientsOf(edgeTransport(url, secret)).changes.listChanges({}, { timeoutMs: patienceMs });
  },
};

/** Asks everything, whatever fails, and tells what each check found. */
export async function runSmoke(options: SmokeOptions): Promise<Checked[]> {
  return await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      try {
        const leftOut = await check(options);
        return typeof leftOut === "string" ? { name, leftOut } : { name };
      } catch (error) {
        return { name, fault: sentence(error) };
      }
    }),
  );
}

async function ask(url: string, path: string, init: RequestInit = {}): Promise<Response> {
  return await fetch(new URL(path, url), { redirect: "manual", signal: AbortSignal.timeout(patienceMs), ...init });
}

async function json(url: string, path: string): Promise<unknown> {
  const response = await ask(url, path);
  const text = await response.text();
  assert.equal(response.status, 200, `${path} answers ${response.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text);
}

async function answersOver(protocol: Protocol, { url }: SmokeOptions): Promise<void> {
  await clientsOf(edgeTransport(url, undefined, protocol)).sessions.getSignInOptions({}, { timeoutMs: patienceMs });
}

async function refuses(url: string, secret: string | undefined, reason: Reason): Promise<void> {
  const { workspaces } = clientsOf(edgeTransport(url, secret));
  const error = await workspaces.listWorkspaces({}, { timeoutMs: patienceMs }).then(
    () => assert.fail("the call was answered"),
    (thrown: unknown) => ConnectError.from(thrown),
  );
  assert.equal(error.code, Code.Unauthenticated, error.message);
  assert.equal(reasonOf(error), reason);
}

/** For how many days the edge's certificate is still good. */
function daysLeft(url: string): Promise<number> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host: hostname, port: Number(port || 443), servername: hostname, timeout: patienceMs },
      () => {
        const ends = Date.parse(socket.getPeerCertificate().valid_to);
        socket.end();
        resolve((ends - Date.now()) / 86_400_000);
      },
    );
    socket.once("timeout", () => socket.destroy(new Error("no TLS handshake within ten seconds")));
    socket.once("error", reject);
  });
}

/** An error as one line, with what caused it: `fetch failed` alone says nothing. */
function sentence(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { message?: string } };
  const because = cause?.message === undefined ? "" : `: ${cause.message}`;
  return `${message}${because}`.replaceAll(/\s*\n\s*/g, " ");
}
