// Deadlines and retries: as they are configured in the callers' Envoys for every RPC, and as they act.

import type { DescMethod } from "@bufbuild/protobuf";
import { BlobService } from "@docket/contracts/gen/docket/storage/v1/blob_service_pb.ts";
import { UploadService } from "@docket/contracts/gen/docket/storage/v1/upload_service_pb.ts";
import { Health } from "@docket/contracts/gen/grpc/health/v1/health_pb.ts";
import { deadlineMsOf, foreignService, retriesOf, rpcNameOf, workloadName } from "@docket/contracts/policy";
import { servedMethods, servers } from "../../src/cells.ts";
import type { Checks } from "../checks.ts";
import type { VerifiedMesh } from "../mesh.ts";
import type { RpcQuestion } from "../probe/protocol.ts";
import type { Tokens } from "../subjects.ts";

interface Route {
  readonly match: { readonly path?: string };
  readonly route?: {
    readonly timeout?: string;
    readonly max_stream_duration?: object;
    readonly retry_policy?: { readonly num_retries?: number; readonly retry_on?: string };
  };
}

export async function checkRoutes(mesh: VerifiedMesh, checks: Checks, tokens: Tokens): Promise<void> {
  const check = checks.suite("routes");
  await checkConfigured(mesh, check);
  await checkActing(mesh, check, tokens);
}

/** The routes to one workload, in the Envoy of somebody who calls it. */
async function routesTo(mesh: VerifiedMesh, caller: string, port: number, host: string): Promise<readonly Route[]> {
  const dump = JSON.parse(await mesh.envoy(caller, "config_dump?resource=dynamic_route_configs")) as {
    configs: { route_config: { name: string; virtual_hosts: { name: string; routes: Route[] }[] } }[];
  };
  return dump.configs
    .filter(({ route_config }) => route_config.name === String(port))
    .flatMap(({ route_config }) => route_config.virtual_hosts)
    .filter(({ name }) => name.startsWith(`${host}:`))
    .flatMap(({ routes }) => routes);
}

/** As the callers' Envoys have them, for every RPC. */
export async function checkConfigured(mesh: VerifiedMesh, check: ReturnType<Checks["suite"]>): Promise<void> {
  const wrong: string[] = [];
  let count = 0;
  for (const { name: workload, port } of servers()) {
    const host = `${workload}.${mesh.options.rendered.namespace}.svc.cluster.local`;
    const routes = await routesTo(mesh, "gateway", port, host);
    for (const { method, workload: at } of servedMethods()) {
      if (workloadName(at) !== workload) continue;
      const path = `/${rpcNameOf(method)}`;
      const found = routes.filter(({ match }) => match.path === path);
      const [route] = found;
      count += 1;
      if (found.length !== 1 || route === undefined) {
        wrong.push(`${path}: ${found.length} routes`);
        continue;
      }
      const unary = method.methodKind === "unary";
      const timeout = Number.parseFloat(route.route?.timeout ?? "0") * 1000;
      const wanted = unary ? deadlineMsOf(method) : 0;
      if (timeout !== wanted) wrong.push(`${path}: ${timeout} ms, not ${wanted}`);
      const retries = route.route?.retry_policy?.num_retries ?? 0;
      const attempts = foreignService(method.parent.typeName) || !unary ? 0 : retriesOf(method);
      if (retries !== attempts) wrong.push(`${path}: ${retries} retries, not ${attempts}`);
    }
    const unnamed = routes.filter(({ match }) => match.path === undefined);
    if (unnamed.length > 0) wrong.push(`${host}: ${unnamed.length} routes for what the contract does not name`);
  }
  check(
    `all ${count} routes have the contract's deadlines and retries, and no other`,
    wrong.length === 0,
    wrong.slice(0, 5),
  );
}

async function checkActing(mesh: VerifiedMesh, check: ReturnType<Checks["suite"]>, tokens: Tokens): Promise<void> {
  const { namespace } = mesh.options.rendered;
  const target = `storage.${namespace}.svc.cluster.local:7103`;
  const own = BlobService.method.getReference;
  const ask = (method: DescMethod, more: Partial<RpcQuestion> = {}) =>
    mesh.probe(more.headers === undefined ? "document" : "gateway").ask({
      operation: "rpc",
      target,
      path: `/${rpcNameOf(method)}`,
      giveUpMs: 20_000,
      ...more,
    });
  const limit = deadlineMsOf(own);
  // A process that hangs: stopped, as by a debugger, so that its connections stay open.
  const storage = mesh.applications.get("storage");
  if (storage?.pid === undefined) throw new Error("storage does not run.");
  process.kill(-storage.pid, "SIGSTOP");
  try {
    const [slow, shorter, longer] = await Promise.all([
      ask(own),
      ask(own, { deadlineMs: 500 }),
      ask(own, { deadlineMs: 30_000 }),
    ]);
    const inTime = (ms: number, wanted: number) => ms > wanted * 0.8 && ms < wanted + 2000;
    // 4 or 14: a race inside Envoy between the route's timeout and the end of the stream.
    const late = slow.grpcStatus === 4 || slow.grpcStatus === 14;
    check(`a call that hangs ends at the contract's ${limit} ms`, late && inTime(slow.durationMs, limit), slow);
    check("a caller's shorter deadline ends it sooner", inTime(shorter.durationMs, 500), shorter);
    check("a caller's longer deadline does not stretch it", inTime(longer.durationMs, limit), longer);
  } finally {
    process.kill(-storage.pid, "SIGCONT");
  }
  // A process that refuses everything, and counts: how often was it really called?
  await mesh.endApplication("storage");
  const probe = mesh.probe("storage");
  await probe.ask({ operation: "refuse", port: 7103 });
  try {
    const write = UploadService.method.createUpload;
    await ask(own);
    await ask(write, { headers: { authorization: `Bearer ${tokens.person}` } });
    await ask(Health.method.check);
    const { calls } = await probe.ask({ operation: "refused", port: 7103 });
    const times = (method: DescMethod) => calls[`/${rpcNameOf(method)}`];
    check(`an idempotent call is tried again ${retriesOf(own)} times`, times(own) === 1 + retriesOf(own), calls);
    check("a call whose contract has no retries is tried once", times(write) === 1 && retriesOf(write) === 0, calls);
    check("so is one of a foreign contract", times(Health.method.check) === 1, calls);
  } finally {
    await probe.ask({ operation: "stop", port: 7103 });
    await mesh.startApplication(mesh.pod("storage"));
  }
}
