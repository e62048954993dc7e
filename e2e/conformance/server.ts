// The server under test, as connectconformance starts it: it reads a ServerCompatRequest, starts what is to be tested, says
// where that listens, and ends with SIGTERM.
//
//   node server.ts edge       Docket's edge and, behind it over mTLS, the suite's service
//   node server.ts service    the suite's service on the runtime's gRPC server, without an edge
//   node server.ts elsewhere  nothing: what is tested runs already, and --answer says where
//
//   --listen host:port      where to listen; default 127.0.0.1:0
//   --service host:port     for `edge`: a service that runs already; MESH_* then say who the edge is
//   --answer host:port      what to tell the suite, where a proxy stands in front
//   --standing              ask nothing and tell nothing to the suite: start in plaintext and print the address. With
//                           MESH_MODE the service knows its callers as a service of Docket does, otherwise it takes anybody
//
// So the suite runs through sidecars, too: a standing service and a standing edge beside theirs, and `elsewhere` for the suite.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { create } from "@bufbuild/protobuf";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { readSettings } from "@docket/runtime/config";
import { openIdentity, processSettings } from "@docket/runtime/service_settings";
import { testIdentity } from "@docket/runtime/testing/identities";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { startSuiteEdge } from "./edge.ts";
import { readMessages, writeMessage } from "./framing.ts";
import {
  type ServerCompatRequest,
  ServerCompatRequestSchema,
  ServerCompatResponseSchema,
} from "./gen/connectrpc/conformance/v1/server_compat_pb.ts";
import { startSuiteService } from "./service.ts";
import { suiteIdentity } from "./suite_identity.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    listen: { type: "string", default: "127.0.0.1:0" },
    service: { type: "string" },
    answer: { type: "string" },
    standing: { type: "boolean", default: false },
  },
});
await using parts = new AsyncDisposableStack();
const stopped = new Promise((resolve) => process.once("SIGTERM", resolve).once("SIGINT", resolve));

const listen = placeOf(values.listen);
if (values.standing) {
  const port = await start(create(ServerCompatRequestSchema));
  process.stdout.write(`${listen.host}:${port}\n`);
} else {
  const { value: asked } = await readMessages(ServerCompatRequestSchema, process.stdin).next();
  if (asked === undefined) throw new Error("No ServerCompatRequest came in.");
  const port = await start(asked);
  const told = values.answer === undefined ? { host: listen.host, port } : placeOf(values.answer);
  const pemCert = asked.useTls && asked.serverCreds ? { pemCert: asked.serverCreds.cert } : {};
  writeMessage(ServerCompatResponseSchema, create(ServerCompatResponseSchema, { ...told, ...pemCert }), process.stdout);
}
// Where nothing was started, nothing else keeps the process.
const alive = setInterval(() => undefined, 60_000);
await stopped;
clearInterval(alive);

async function start(request: ServerCompatRequest): Promise<number> {
  switch (positionals[0]) {
    case "edge":
      return await edge(request);
    case "service":
      return await serviceAlone(request);
    case "elsewhere":
      return 0;
    default:
      throw new Error("What is to be tested? edge, service or elsewhere.");
  }
}

async function edge({ useTls, serverCreds }: ServerCompatRequest): Promise<number> {
  let tls: { cert: string; key: string } | undefined;
  if (useTls && serverCreds) {
    const folder = parts.use(await temporaryFolder());
    tls = { cert: join(folder.path, "cert.pem"), key: join(folder.path, "key.pem") };
    await writeFile(tls.cert, serverCreds.cert);
    await writeFile(tls.key, serverCreds.key);
  }
  if (values.service !== undefined) {
    const { port } = parts.use(await startSuiteEdge({ ...listen, service: values.service, tls }));
    return port;
  }
  const own = { host: "127.0.0.1", port: 0 };
  const service = parts.use(await startSuiteService(await testIdentity(Workload.DOCUMENT), own));
  const identity = await testIdentity(Workload.GATEWAY);
  const { port } = parts.use(await startSuiteEdge({ ...listen, identity, service: `127.0.0.1:${service.port}`, tls }));
  return port;
}

async function serviceAlone({ useTls, serverCreds, clientTlsCert }: ServerCompatRequest): Promise<number> {
  const tls = { tls: useTls, ca: clientTlsCert, certificate: serverCreds?.cert, key: serverCreds?.key };
  const identity =
    values.standing && process.env.MESH_MODE !== undefined
      ? parts.use(await openIdentity(Workload.DOCUMENT, readSettings(processSettings, process.env)))
      : suiteIdentity(Workload.DOCUMENT, tls);
  const service = parts.use(await startSuiteService(identity, listen));
  return service.port;
}

function placeOf(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
