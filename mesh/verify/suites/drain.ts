// Processes and proxies that end: calls in flight finish, and streams end by the process's word.

import { eventually } from "@docket/runtime/testing/eventually";
import type { Checks } from "../checks.ts";
import type { VerifiedMesh } from "../mesh.ts";
import { exited } from "../network.ts";
import type { Tokens } from "../subjects.ts";

export async function checkDrain(mesh: VerifiedMesh, checks: Checks, tokens: Tokens): Promise<void> {
  const check = checks.suite("drain");
  const target = `document.${mesh.options.rendered.namespace}.svc.cluster.local:7102`;
  const before = await underWay(mesh, "gateway", "document");
  const watch = mesh.probe("gateway").ask({
    operation: "rpc",
    fresh: true,
    target,
    path: "/docket.document.v1.ChangeService/WatchChanges",
    headers: { authorization: `Bearer ${tokens.person}` },
    giveUpMs: 60_000,
  });
  await eventually(async () => (await underWay(mesh, "gateway", "document")) > before, { timeoutMs: 10_000 });
  const started = performance.now();
  await mesh.endApplication("document");
  const seconds = (performance.now() - started) / 1000;
  const ended = await watch;
  check("a stream ends by the process's word, so that its reader opens it again", ended.reason === "RESUME", ended);
  check("the process has ended within 15 s of SIGTERM", seconds < 15, seconds);
  await mesh.startApplication(mesh.pod("document"));

  // The sidecar of a caller is told to end while a call is under way through it.
  const storage = mesh.applications.get("storage");
  if (storage?.pid === undefined) throw new Error("storage does not run.");
  process.kill(-storage.pid, "SIGSTOP");
  const slow = mesh.probe("document-worker").ask({
    operation: "rpc",
    fresh: true,
    target: `storage.${mesh.options.rendered.namespace}.svc.cluster.local:7103`,
    path: "/grpc.health.v1.Health/Check",
  });
  await eventually(async () => (await underWay(mesh, "document-worker", "storage")) > 0, { timeoutMs: 10_000 });
  const agent = mesh.agents.get("document-worker");
  if (agent === undefined) throw new Error("document-worker has no sidecar.");
  // As the kubelet does: the first process of the container is told, and not Envoy itself.
  agent.kill("SIGTERM");
  process.kill(-storage.pid, "SIGCONT");
  const finished = await slow;
  check("a call under way finishes while its sidecar drains", finished.grpcStatus === 0, finished);
  await exited(agent);
  await mesh.startAgent(mesh.pod("document-worker"));
}

/** How many calls to a workload are under way through a pod's sidecar. */
async function underWay(mesh: VerifiedMesh, pod: string, workload: string): Promise<number> {
  const host = `${workload}.${mesh.options.rendered.namespace}.svc.cluster.local`;
  const counts = (await mesh.envoy(pod, "clusters")).matchAll(
    new RegExp(`^outbound\\|\\d+\\|stable\\|${host}::\\S+::rq_active::(\\d+)$`, "gm"),
  );
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}
