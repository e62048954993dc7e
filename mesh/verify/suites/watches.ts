// Assertions that are asked again and again while policies change: each says what no longer holds, or nothing.

import { randomUUID } from "node:crypto";
import { eventually } from "@docket/runtime/testing/eventually";
import { servers } from "../../src/cells.ts";
import { unknownAddress, type VerifiedMesh } from "../mesh.ts";
import type { RpcAnswer, RpcQuestion } from "../probe/protocol.ts";
import type { Tokens } from "../subjects.ts";
import { denied } from "./identity.ts";

const health = "/grpc.health.v1.Health/Check";
const reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

/** Doors that speak more than gRPC: who may call which port with which path. */
const doors: readonly (readonly [caller: string, pod: string, port: number, path: string, allowed: boolean])[] = [
  ["ingress", "gateway", 8080, "/readyz", true],
  ["web", "gateway", 8080, "/readyz", false],
  ["storage", "gateway", 8080, "/readyz", false],
  ["operator", "gateway", 8080, "/readyz", false],
  ["storage", "gateway", 8080, health, true],
  ["other", "gateway", 8080, health, false],
  ["operator", "gateway", 8080, reflection, true],
  ["storage", "gateway", 8080, reflection, false],
  ["web", "gateway", 7105, "/docket.user.v1.SessionService/GetSession", true],
  ["ingress", "gateway", 7105, "/docket.user.v1.SessionService/GetSession", false],
  ["operator", "gateway", 7105, "/docket.user.v1.SessionService/GetSession", false],
  ["operator", "gateway", 7105, health, false],
  ["gateway", "web", 7106, "/", true],
  ["user", "web", 7106, "/", false],
  ["ingress", "web", 7106, "/", false],
];

/** The edge's and the portal's doors, and the way in. */
export async function watchDoors(mesh: VerifiedMesh): Promise<string | undefined> {
  for (const [caller, pod, port, path, allowed] of doors) {
    const answer = await ask(mesh, pod, port, path, caller === "other" ? otherEdge(mesh) : caller);
    const observed = answer.outcome !== "failed" && !denied(answer);
    if (observed !== allowed) return `${caller} ${observed ? "reaches" : "does not reach"} ${pod}:${port}${path}`;
  }
  const tls = { certificates: mesh.certificates("edge"), show: false };
  const url = `https://${mesh.options.domain}/healthz`;
  const { status } = await mesh.probe("stranger").ask({ operation: "http", url, tls });
  return status === 200 ? undefined : `the public name answers ${status}`;
}

/** The certificate of another environment's edge. */
function otherEdge(mesh: VerifiedMesh): string {
  return `${mesh.options.rendered.environment === "dev" ? "prod" : "dev"}-gateway`;
}

/** What the contract does not name is refused to everybody, whatever they show. */
export async function watchUnknownPaths(mesh: VerifiedMesh, tokens: Tokens): Promise<string | undefined> {
  const callers = ["gateway", "document", "storage", "integration", "operator", "web", "user", "ingress"];
  for (const { name: pod, port } of servers()) {
    for (const caller of callers.filter((each) => each !== pod)) {
      for (const token of [tokens.none, tokens.person, tokens.key]) {
        const path = "/docket.none.v1.NoService/NoMethod";
        const answer = await ask(mesh, pod, port, path, caller, token);
        if (!denied(answer)) return `${caller} gets past ${pod}'s policies with a path that does not exist`;
      }
    }
  }
  return undefined;
}

/** A pod that no policy names hears nobody; a server that would answer is started in it by the suite on identity. */
export async function watchUnnamed(mesh: VerifiedMesh): Promise<string | undefined> {
  const target = `${mesh.pod("document-worker").address}:7102`;
  const tls = { certificates: mesh.certificates("gateway") };
  const { text } = await mesh.probe("stranger").ask({ operation: "tcp", target, tls, giveUpMs: 1500 });
  return text === "" ? undefined : "document-worker answers the gateway";
}

/** Plaintext is heard by no pod. */
export async function watchPlaintext(mesh: VerifiedMesh): Promise<string | undefined> {
  for (const { name: pod, port } of servers()) {
    const answer = await ask(mesh, pod, port, health);
    if (answer.httpStatus !== undefined || answer.grpcStatus !== undefined) return `${pod} answers plaintext`;
  }
  return undefined;
}

/** What each workload reaches, and what it does not: the first of each that tells. */
export async function watchReach(mesh: VerifiedMesh): Promise<string | undefined> {
  const { namespace } = mesh.options.rendered;
  const host = (workload: string, port: number) => `${workload}.${namespace}.svc.cluster.local:${port}`;
  const reaches: readonly (readonly [pod: string, workload: string, port: number, allowed: boolean])[] = [
    ["gateway", "user", 7101, true],
    ["web", "user", 7101, false],
    ["user", "document", 7102, false],
    ["document", "storage", 7103, true],
    ["document", "integration", 7104, false],
    ["document-worker", "storage", 7103, true],
    ["document-worker", "integration", 7104, false],
    ["storage", "user", 7101, true],
    ["storage", "document", 7102, false],
    ["integration", "document", 7102, true],
    ["integration", "storage", 7103, false],
    ["operator", "user", 7101, true],
  ];
  for (const [pod, workload, port, allowed] of reaches) {
    const answer = await mesh
      .probe(pod)
      .ask({ operation: "rpc", fresh: true, target: host(workload, port), path: health, giveUpMs: 1500 });
    // Workers have the identity of their service; health is for every workload that gets there.
    if ((answer.grpcStatus === 0) !== allowed) return `${pod} ${allowed ? "does not reach" : "reaches"} ${workload}`;
  }
  const inner = await mesh.probe("web").ask({
    operation: "http",
    url: `http://${host("gateway", 7105)}/docket.user.v1.SessionService/GetSession`,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: Buffer.from("{}").toString("base64"),
  });
  if (inner.status !== 401) return `web is answered ${inner.status ?? inner.outcome} by the edge`;
  for (const pod of ["gateway", "web", "user", "document", "storage", "operator", "document-worker"]) {
    if (await hears(mesh, pod, `${unknownAddress}:9000`, false)) return `${pod} reaches what nobody declared`;
  }
  return undefined;
}

/** Each declared host outside is known to the Envoy of somebody who needs it, and is reached. */
export async function watchEntries(mesh: VerifiedMesh): Promise<string | undefined> {
  for (const { pod, host, port, secure, target } of needsOf(mesh)) {
    const clusters = await mesh.envoy(pod, "clusters");
    if (!clusters.includes(`outbound|${port}||${host}::`)) return `${pod}'s Envoy does not know ${host}`;
    if (!(await hears(mesh, pod, target, secure))) return `${pod} does not reach ${host}:${port}`;
  }
  return undefined;
}

/** A call that is refused leaves a line in the log of the pod's proxy. */
export async function watchAccessLog(mesh: VerifiedMesh): Promise<string | undefined> {
  const path = `/docket.document.v1.DocumentService/${randomUUID()}`;
  await ask(mesh, "document", 7102, path, "gateway");
  try {
    // Envoy writes its log once a second.
    await eventually(async () => (await mesh.log("agent-document")).includes(path), { timeoutMs: 4000 });
    return undefined;
  } catch {
    return "a refused call left no line in the access log";
  }
}

/** A host outside that a running pod may reach. */
export interface Need {
  readonly pod: string;
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** Where to connect for it. */
  readonly target: string;
}

/** What the ServiceEntries declare, each with a pod whose Sidecar lets it there. */
export function needsOf({ cluster }: VerifiedMesh): Need[] {
  const sidecars = cluster.istio.filter(({ kind }) => kind === "Sidecar");
  return cluster.istio
    .filter(({ kind }) => kind === "ServiceEntry")
    .flatMap(({ spec }) =>
      (spec.hosts as string[]).flatMap((host) => {
        const sidecar = sidecars.find(
          (each) =>
            cluster.pods.some(({ labels }) => labels.app === each.spec.workloadSelector?.labels.app) &&
            each.spec.egress.some(({ hosts }: { hosts: string[] }) => hosts.includes(`./${host}`)),
        );
        const pod = sidecar?.spec.workloadSelector.labels.app as string | undefined;
        if (pod === undefined) return [];
        const [{ number: port, protocol }] = spec.ports;
        const secure = protocol !== "TCP";
        return [{ pod, host, port, secure, target: `${secure ? sampleOf(host) : unknownAddress}:${port}` }];
      }),
    );
}

/** A name that a wildcard stands for. */
export function sampleOf(host: string): string {
  return host.replace(/^\*\./, "sample.");
}

/** What hosts outside greet with. */
export const greeting = "outside";

/** Whether a pod hears the greeting of a host outside. */
export async function hears(mesh: VerifiedMesh, pod: string, target: string, secure: boolean): Promise<boolean> {
  const tls = { certificates: mesh.certificates("edge"), show: false };
  const { text } = await mesh.probe(pod).ask({ operation: "tcp", target, giveUpMs: 1500, ...(secure ? { tls } : {}) });
  return text === greeting;
}

function ask(
  mesh: VerifiedMesh,
  pod: string,
  port: number,
  path: string,
  caller?: string,
  token?: string,
): Promise<RpcAnswer> {
  const question: RpcQuestion = {
    operation: "rpc",
    fresh: true,
    target: `${mesh.pod(pod).address}:${port}`,
    path,
    giveUpMs: 3000,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(caller === undefined ? {} : { tls: { certificates: mesh.certificates(caller) } }),
  };
  return mesh.probe("stranger").ask(question);
}
