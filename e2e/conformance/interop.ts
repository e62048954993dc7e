// Runs the cases of gRPC's interoperability client (interop/main.go) against the runtime's server, over the mesh's mTLS.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { testIdentities } from "@docket/runtime/testing/identities";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { startSuiteService } from "./service.ts";
import type { Row } from "./table.ts";

/**
 * All cases of the client but those for Google's accounts, ORCA load reports and several back ends, of which Docket has
 * none. `+gzip`: the client compresses what it sends.
 */
const cases = [
  "empty_unary",
  "large_unary",
  "large_unary+gzip",
  "client_streaming",
  "client_streaming+gzip",
  "server_streaming",
  "server_streaming+gzip",
  "ping_pong",
  "ping_pong+gzip",
  "empty_stream",
  "timeout_on_sleeping_server",
  "cancel_after_begin",
  "cancel_after_first_response",
  "custom_metadata",
  "status_code_and_message",
  "special_status_message",
  "unimplemented_method",
  "unimplemented_service",
];

/** Runs each case in a process of its own, since the client ends with the first that fails. */
export async function runInterop(command: string, say: (line: string) => void): Promise<Row[]> {
  await using folder = await temporaryFolder();
  const [server, client] = await testIdentities(Workload.DOCUMENT, Workload.GATEWAY);
  await using service = await startSuiteService(server, { host: "127.0.0.1", port: 0 });
  const { certificate, key, ca } = client.current();
  const files = { certificate, key, authority: ca };
  const flags = ["-server", `127.0.0.1:${service.port}`, "-identity", server.id];
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder.path, `${name}.pem`);
    await writeFile(path, text, { mode: 0o600 });
    flags.push(`-${name}`, path);
  }
  let passed = 0;
  for (const name of cases) {
    const child = spawn(command, [...flags, name], { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
    }
    const [code] = await once(child, "close");
    if (code === 0 && said.includes(`passed ${name}`)) passed += 1;
    else say(`FAILED gRPC interop: ${name}: ${said.trim()}`);
  }
  const failed = cases.length - passed;
  return [{ suite: "gRPC interop → service", protocol: "gRPC", cases: cases.length, passed, known: 0, failed }];
}
