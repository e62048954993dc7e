// Whether the process that listens beside this one serves: for the health checks of containers, which run a command. It
// asks over the same port and with the same encryption as everybody. It must never know what a service does.

import { request as askHttp } from "node:http";
import { request as askHttps } from "node:https";
import { createClient } from "@connectrpc/connect";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@docket/contracts/gen/grpc/health/v1/health_pb.ts";
import { openChannel } from "./grpc/channel.ts";
import { createGrpcTransport } from "./grpc/transport.ts";
import { openMeshHttpClient } from "./http/client.ts";
import { loadIdentity } from "./identity/identity.ts";
import { openIdentity, type ServiceConfig } from "./service_settings.ts";

/** How long an answer may take, in milliseconds. */
const timeoutMs = 3_000;

/** Runs a check as a process: exit code 0 where it finds the other one serving, else 1 with a sentence on stderr. */
export async function runProbe(check: () => Promise<string | undefined>): Promise<never> {
  const fault = await check().catch((error: unknown) => (error as Error).message);
  if (fault === undefined) return process.exit(0);
  process.stderr.write(`${fault}\n`);
  return process.exit(1);
}

/** What is wrong with the service that listens where the settings say, by its own word; undefined when it serves. */
export async function faultOfService(workload: Workload, config: ServiceConfig): Promise<string | undefined> {
  const { host, port } = config.listen;
  // A caller that has the server's own identity would be refused.
  using identity = await openIdentity(Workload.OPERATOR, config);
  const channel = openChannel(identity, workload, [`${reachable(host)}:${port}`]);
  try {
    const health = createClient(Health, createGrpcTransport({ client: () => channel }));
    const { status } = await health.check({ service: "" }, { timeoutMs });
    return status === Status.SERVING ? undefined : "It does not serve.";
  } finally {
    channel.close();
  }
}

/** What is wrong with the answer of a workload that speaks HTTP inside the mesh; undefined when it is 200. */
export async function faultOfMeshPage(
  workload: Workload,
  config: Pick<ServiceConfig, "mesh" | "dataDir" | "listen">,
  path: string,
): Promise<string | undefined> {
  const { host, port } = config.listen;
  using identity = await loadIdentity({ ...config.mesh, dataDir: config.dataDir, workload: Workload.OPERATOR });
  using client = openMeshHttpClient({ identity, workload, address: () => `${reachable(host)}:${port}` });
  const signal = AbortSignal.timeout(timeoutMs);
  const answer = await client.send({ method: "GET", path, headers: {}, signal, answerMs: timeoutMs });
  answer.destroy();
  return answer.statusCode === 200 ? undefined : `${path} answers ${answer.statusCode}.`;
}

/** What is wrong with the answer to a GET at the edge, of which only the status counts; undefined when it is 200. */
export function faultOfPage(url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const ask = url.startsWith("https:") ? askHttps : askHttp;
    // The certificate is made for a name, and this is an address of the machine itself.
    const request = ask(url, { rejectUnauthorized: false, timeout: timeoutMs }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? undefined : `${url} answers ${response.statusCode}.`);
    });
    request.once("timeout", () => request.destroy(new Error("it does not answer")));
    request.once("error", (error) => resolve(`${url} cannot be asked: ${error.message}.`));
    request.end();
  });
}

/** Where a process that listens on this address is reached from its own machine. */
export function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "[::1]" : host.includes(":") ? `[${host}]` : host;
}
