// The way in: the public name, its certificate, large bodies, headers that lie, and every protocol that clients speak.

import { join } from "node:path";
import type { Checks } from "../checks.ts";
import type { VerifiedMesh } from "../mesh.ts";
import type { HttpQuestion } from "../probe/protocol.ts";
import { callEdge, type Subjects } from "../subjects.ts";

const root = join(import.meta.dirname, "..", "..", "..");

export async function checkEdge(mesh: VerifiedMesh, checks: Checks, subjects: Subjects): Promise<void> {
  const check = checks.suite("edge");
  const { domain } = mesh.options;
  const tls = { certificates: mesh.certificates("edge"), show: false };
  const http = (path: string, more: Partial<HttpQuestion> = {}) =>
    mesh.probe("stranger").ask({ operation: "http", url: `https://${domain}${path}`, tls, ...more });
  const authorization = `Bearer ${subjects.sessionSecret}`;

  const plain = await mesh.probe("stranger").ask({ operation: "http", url: `http://${domain}/readyz` });
  check(
    "plain HTTP is sent to HTTPS",
    plain.status === 301 && plain.headers?.location === `https://${domain}/readyz`,
    plain,
  );
  const foreign = await http("/readyz", { headers: { host: "other.example.com" } });
  check("another host is not served", foreign.status === 404, foreign);
  const first = await http("/");
  const page = await http(new URL(first.headers?.location ?? "/", `https://${domain}`).pathname);
  check("the portal's page comes through", page.status === 200 && /<html/i.test(page.text ?? ""), [first, page]);
  const keys = await http("/.well-known/jwks.json");
  check("the public keys are there", keys.status === 200 && (keys.text ?? "").includes("Ed25519"), keys);

  const grpc = await mesh.probe("stranger").ask({
    operation: "rpc",
    target: `${domain}:443`,
    path: "/docket.user.v1.SessionService/GetSession",
    headers: { authorization },
    tls,
  });
  check("gRPC comes through", grpc.grpcStatus === 0 && grpc.messages === 1, grpc);
  const web = await http("/docket.user.v1.SessionService/GetSession", {
    method: "POST",
    headers: { "content-type": "application/grpc-web+proto", authorization },
    body: Buffer.alloc(5).toString("base64"),
  });
  check("gRPC-Web comes through", web.status === 200 && (web.text ?? "").includes("grpc-status: 0"), web.status);
  const session = await callEdge(mesh, "docket.user.v1.SessionService/GetSession", {}, subjects.sessionSecret);
  check("Connect comes through", session.user?.id === subjects.person.id, session);
  const unpublished = await http("/docket.user.v1.TokenService/ListPublicKeys", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: Buffer.from("{}").toString("base64"),
  });
  check("an RPC that is not published is not there", unpublished.status === 404, unpublished.status);

  const size = 20 << 20;
  const metadata = (key: string, value: string) => `${key} ${Buffer.from(value).toString("base64")}`;
  const tus = { "tus-resumable": "1.0.0", authorization };
  const created = await http("/files/uploads", {
    method: "POST",
    headers: {
      ...tus,
      "upload-length": String(size),
      "upload-metadata": [metadata("filename", "zeros.bin"), metadata("workspace_id", subjects.workspaceId)].join(),
    },
    body: 0,
  });
  const location = created.headers?.location ?? "";
  check("an upload's address has the public name", location.startsWith(`https://${domain}/files/uploads/`), created);
  const path = new URL(location || "https://none").pathname;
  const sent = await http(path, {
    method: "PATCH",
    headers: { ...tus, "upload-offset": "0", "content-type": "application/offset+octet-stream" },
    body: size,
    giveUpMs: 60_000,
  });
  check("20 MiB pass in one request", sent.status === 204 && sent.headers?.["upload-offset"] === String(size), sent);

  // The edge logs whom it believes to be the client.
  const lies = { "x-forwarded-for": "203.0.113.7", "x-real-ip": "203.0.113.7", forwarded: "for=203.0.113.7" };
  await http("/version", { headers: { ...lies, "x-request-id": "who-is-the-client-1" } });
  const log = await mesh.log("application-gateway");
  const stranger = log.split("\n").filter((line) => line.includes("203.0.113.7"));
  check("a forged address of a client is not believed", stranger.length === 0, stranger.slice(0, 2));

  const journey = await runInside(mesh, ["e2e/check_journey.ts", `https://${domain}`]);
  check("the whole journey of a person, from sign-up to download", journey.code === 0, journey.output.slice(-1500));
}

/** A program of the repository, run by the stranger: it reaches the ingress alone. */
async function runInside(mesh: VerifiedMesh, parameters: readonly string[]): Promise<{ code: number; output: string }> {
  return await new Promise((resolve) => {
    const child = mesh.network.start("stranger", {
      command: process.execPath,
      parameters: [join(root, parameters[0] ?? ""), ...parameters.slice(1)],
      environment: {
        PATH: process.env.PATH ?? "",
        HOME: mesh.folder,
        NODE_EXTRA_CA_CERTS: join(mesh.certificates("edge"), "root-cert.pem"),
      },
    });
    let output = "";
    child.stdout?.on("data", (chunk) => {
      output += chunk;
    });
    child.once("close", (code) => resolve({ code: code ?? 1, output }));
  });
}
