// A mesh as it runs in a cluster, without one: istiod's generators over the rendered objects, an agent and a real Envoy for each pod in
// a network of its own, Docket's processes behind them, and a probe in each pod.

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "@docket/runtime/testing/eventually";
import { issueCertificates } from "./certificates.ts";
import { parse } from "yaml";
import { buildCluster, type Cluster, type ExtraPod, type Pod } from "./cluster.ts";
import { bridgeAddress, endGroup, exited, PodNetwork } from "./network.ts";
import { type KubernetesObject, printObjects } from "./objects.ts";
import { Probe, probeProgram } from "./probe/probe.ts";
import type { Rendered } from "./render.ts";
import type { Tools } from "./tools.ts";

const root = join(import.meta.dirname, "..", "..");

/** Ports of the agent itself, and of the process's metrics, which the capture leaves alone. */
const uncaptured = [15090, 15021, 15020];
const metricsPort = 9464;
/** What runs past every proxy: a stranger with any certificate one likes, and hosts outside the mesh. */
export const strangerAddress = "10.244.3.1";
export const knownAddress = "10.244.3.2";
export const unknownAddress = "10.244.3.3";

/** What a mesh is made from. */
export interface MeshOptions {
  readonly tools: Tools;
  readonly rendered: Rendered;
  readonly extra: readonly ExtraPod[];
  /** Which of the Deployments become pods. */
  readonly runs: (deployment: string) => boolean;
  /** Names outside the mesh that the known host answers to. */
  readonly outside: readonly string[];
  /** Names outside the mesh that nobody declared. */
  readonly undeclared: readonly string[];
  /** The public name of the edge. */
  readonly domain: string;
  /** The folder of the portal's build. */
  readonly portal: string;
}

/** A running mesh. */
export class VerifiedMesh implements AsyncDisposable {
  readonly folder: string;
  readonly cluster: Cluster;
  readonly options: MeshOptions;
  readonly network: PodNetwork;
  readonly probes = new Map<string, Probe>();
  readonly agents = new Map<string, ChildProcess>();
  readonly applications = new Map<string, ChildProcess>();
  readonly #stack = new AsyncDisposableStack();
  #istiod: ChildProcess | undefined;

  private constructor(folder: string, cluster: Cluster, options: MeshOptions, network: PodNetwork) {
    this.folder = folder;
    this.cluster = cluster;
    this.options = options;
    this.network = network;
  }

  static async start(options: MeshOptions): Promise<VerifiedMesh> {
    const { rendered, extra, runs, domain } = options;
    await using starting = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), "docket-mesh-"));
    starting.defer(() => rm(folder, { recursive: true, force: true }));
    // Envoy runs as an account of its own, which must get at its files.
    await chmod(folder, 0o755);
    const { edge } = await issueCertificates(folder, rendered, domain);
    const chosen = {
      ...rendered,
      workloads: rendered.workloads.filter(({ kind, metadata }) => kind !== "Deployment" || runs(metadata.name)),
    };
    const cluster = buildCluster(chosen, extra, [edge]);
    const ingress = cluster.pods.find(({ proxy }) => proxy === "router");
    await writeHosts(folder, cluster, options, ingress?.address ?? "");
    const network = starting.use(await PodNetwork.create(join(folder, "hosts")));
    const mesh = new VerifiedMesh(folder, cluster, options, network);
    await mesh.#connect();
    // istiod fetches the edge's keys when it first reads of them, and after a failure not for a minute: so it reads of
    // them when there is an edge (servesWithKeys).
    const first = cluster.istio.filter(({ kind }) => kind !== "RequestAuthentication");
    await mesh.#startIstiod(cluster.kubernetes, rendered.meshConfig, first);
    const parts = cluster.pods.flatMap((pod) => [mesh.startAgent(pod), mesh.startApplication(pod)]);
    // All have come to an end before anything is taken down again.
    for (const part of await Promise.allSettled(parts)) if (part.status === "rejected") throw part.reason;
    mesh.#stack.use(starting.move());
    return mesh;
  }

  /** The probe in a pod. */
  probe(pod: string): Probe {
    const probe = this.probes.get(pod);
    if (probe === undefined) throw new Error(`There is no pod ${pod}.`);
    return probe;
  }

  pod(name: string): Pod {
    const pod = this.cluster.pods.find((each) => each.name === name);
    if (pod === undefined) throw new Error(`There is no pod ${name}.`);
    return pod;
  }

  /** The folder with the certificate of an identity: `document`, `foreign-gateway`, `docket-dev-gateway`. */
  certificates(name: string): string {
    return join(this.folder, "certificates", name);
  }

  /** What the log of a part holds: `agent-document`, `application-user`, `istiod`. */
  async log(name: string): Promise<string> {
    return await readFile(join(this.folder, `${name}.log`), "utf8");
  }

  /** Brings istiod to a state, and waits until every proxy has taken it. Returns what changed. */
  async apply(objects: readonly KubernetesObject[]): Promise<readonly string[]> {
    const path = join(this.folder, "apply.yaml");
    await writeFile(path, printObjects(objects));
    const output = await this.network.run(undefined, "curl", [
      ...["-sS", "--max-time", "60", "--data-binary", `@${path}`, "http://127.0.0.1:15014/apply"],
    ]);
    const answer = parseAnswer(output);
    if (!answer.acknowledged) throw new Error(`A proxy did not take the change: ${answer.changed.join(", ")}`);
    return answer.changed;
  }

  /** A page of a pod's Envoy, for example `config_dump`. */
  async envoy(pod: string, page: string): Promise<string> {
    return await this.network.run(pod, "curl", ["-sS", "--max-time", "20", `http://127.0.0.1:15000/${page}`]);
  }

  /** Ends istiod and starts it with other objects of Kubernetes and another mesh config; Istio's own stay. */
  async restartIstiod(kubernetes: readonly KubernetesObject[], meshConfig: string): Promise<void> {
    const running = this.#istiod;
    if (running === undefined) throw new Error("istiod does not run.");
    endGroup(running, "SIGKILL");
    await exited(running);
    await this.#startIstiod(kubernetes, meshConfig, this.cluster.istio);
  }

  async #startIstiod(
    kubernetes: readonly KubernetesObject[],
    meshConfig: string,
    istio: readonly KubernetesObject[],
  ): Promise<void> {
    const { tools } = this.options;
    await writeFile(join(this.folder, "kubernetes.yaml"), printObjects(kubernetes));
    await writeFile(join(this.folder, "istio.yaml"), printObjects(istio));
    await writeFile(join(this.folder, "mesh.yaml"), meshConfig);
    const child = this.network.start(undefined, {
      command: tools.verify,
      parameters: [
        "istiod",
        ...["-kubernetes", join(this.folder, "kubernetes.yaml"), "-istio", join(this.folder, "istio.yaml")],
        ...["-mesh", join(this.folder, "mesh.yaml"), "-certificates", this.certificates("istiod")],
        ...["-discovery", `${bridgeAddress}:15012`, "-admin", "127.0.0.1:15014"],
      ],
      environment: {
        PATH: process.env.PATH ?? "",
        HOME: this.folder,
        // Envoy is the core build here; Istio's own extensions are not in it.
        PILOT_ENABLE_METADATA_EXCHANGE: "false",
        PILOT_ENABLE_ALPN_FILTER: "false",
        // The edge's public keys are fetched over TLS, as in a cluster.
        SSL_CERT_FILE: join(this.folder, "certificates", "edge", "root-cert.pem"),
        PILOT_JWT_PUB_KEY_REFRESH_INTERVAL: "2s",
      },
      log: join(this.folder, "istiod.log"),
    });
    this.#istiod = child;
    await this.#until(child, "istiod", async () =>
      (await this.network.run(undefined, "curl", ["-fsS", "http://127.0.0.1:15014/ready"])).includes("true"),
    );
  }

  async startAgent(pod: Pod): Promise<void> {
    const home = join(this.folder, `agent-${pod.name}`);
    const credentials = join(home, "var/run/secrets/workload-spiffe-credentials");
    await rm(home, { recursive: true, force: true });
    await mkdir(credentials, { recursive: true });
    await cp(this.certificates(pod.serviceAccount), credentials, { recursive: true });
    await this.network.run(undefined, "chown", ["-R", "1337:1337", home]);
    const log = join(this.folder, `agent-${pod.name}.log`);
    await writeFile(log, "");
    await chmod(log, 0o666);
    const program = (name: string) => join(this.folder, name);
    const config = {
      discoveryAddress: `${bridgeAddress}:15012`,
      binaryPath: program("envoy"),
      concurrency: 1,
      ...proxyConfigOf(pod),
    };
    const child = this.network.start(pod.name, {
      command: program("pilot-agent"),
      parameters: [
        ...["proxy", pod.proxy, "--domain", `${pod.namespace}.svc.cluster.local`],
        ...["--templateFile", program("bootstrap.json")],
      ],
      user: 1337,
      folder: home,
      environment: {
        PATH: process.env.PATH ?? "",
        HOME: home,
        POD_NAME: pod.name,
        POD_NAMESPACE: pod.namespace,
        INSTANCE_IP: pod.address,
        SERVICE_ACCOUNT: pod.serviceAccount,
        TRUST_DOMAIN: "cluster.local",
        ISTIOD_SAN: "istiod.istio-system.svc",
        PROV_CERT: "./var/run/secrets/workload-spiffe-credentials",
        CLOUD_PLATFORM: "none",
        ISTIO_META_CLUSTER_ID: "Kubernetes",
        ISTIO_META_INTERCEPTION_MODE: "REDIRECT",
        ISTIO_META_ISTIO_VERSION: "1.31.0",
        ISTIO_METAJSON_LABELS: JSON.stringify(pod.labels),
        PROXY_CONFIG: JSON.stringify(config),
      },
      log,
    });
    this.agents.set(pod.name, child);
    await this.#until(child, `agent-${pod.name}`, async () => {
      await this.network.run(pod.name, "curl", ["-fsS", "-o", "/dev/null", "http://127.0.0.1:15021/healthz/ready"]);
      return true;
    });
  }

  async startApplication(pod: Pod): Promise<void> {
    const { application } = pod;
    // Workers take no calls; they are here for what is refused to them.
    if (application === undefined || pod.labels["docket.role"] !== "server") return;
    const data = join(this.folder, "data", pod.name);
    const workload = pod.labels.app ?? "";
    const child = this.network.start(pod.name, {
      command: process.execPath,
      // Without its role: with files instead of a bucket one process serves and works.
      parameters: [join(root, entryOf(workload))],
      environment: {
        PATH: process.env.PATH ?? "",
        HOME: data,
        NODE_COMPILE_CACHE: join(tmpdir(), "docket-compile-cache"),
        ...application.environment,
        // The embedded default: what secrets would say of databases, Redis and buckets is not here.
        ...embedded,
        WEB_OUTPUT: this.options.portal,
        DOCKET_DATA_DIR: data,
        KEY_ENCRYPTION_SECRET: keyEncryptionSecret,
      },
      log: join(this.folder, `application-${pod.name}.log`),
    });
    this.applications.set(pod.name, child);
    const port = application.ports.find((each) => each !== metricsPort);
    await this.#until(
      child,
      `application-${pod.name}`,
      async () =>
        (await this.probe(pod.name).ask({ operation: "tcp", target: `127.0.0.1:${port}`, giveUpMs: 200 })).connected,
    );
  }

  /** Ends a pod's process with SIGTERM and waits for its end. */
  async endApplication(pod: string): Promise<void> {
    const child = this.applications.get(pod);
    if (child === undefined) throw new Error(`Nothing runs in ${pod}.`);
    endGroup(child, "SIGTERM");
    await exited(child);
  }

  async #connect(): Promise<void> {
    const { tools } = this.options;
    for (const [from, to] of [
      [tools.pilotAgent, "pilot-agent"],
      [tools.envoy, "envoy"],
      [tools.bootstrap, "bootstrap.json"],
    ] as const) {
      await copyFile(from, join(this.folder, to));
      await chmod(join(this.folder, to), 0o755);
    }
    const { network } = this;
    for (const pod of this.cluster.pods) {
      await network.addPod(pod.name, pod.address);
      if (pod.proxy === "sidecar") {
        await network.capture(pod.name, join(this.folder, "pilot-agent"), [...uncaptured, metricsPort]);
      } else {
        // What the load balancer does: 443 of the address is 8443 of the pod.
        for (const { port, targetPort } of portsOf(pod, this.cluster))
          await network.redirect(pod.name, port, targetPort);
      }
      this.#addProbe(pod.name);
    }
    for (const { kind, metadata, spec } of this.cluster.kubernetes) {
      if (kind !== "Service") continue;
      const slice = this.cluster.kubernetes.find(
        (other) => other.kind === "EndpointSlice" && other.metadata.name === `${metadata.name}-1`,
      ) as { endpoints?: { addresses: string[] }[] } | undefined;
      const pods = (slice?.endpoints ?? []).flatMap(({ addresses }) => addresses);
      for (const { port, targetPort } of spec.ports)
        await network.serve(spec.clusterIP, port, pods, targetPort ?? port);
    }
    for (const [name, address] of [
      ["stranger", strangerAddress],
      ["known", knownAddress],
      ["unknown", unknownAddress],
    ] as const) {
      await network.addPod(name, address);
      this.#addProbe(name);
    }
  }

  #addProbe(pod: string): void {
    const child = this.network.start(pod, { command: process.execPath, parameters: [probeProgram] });
    this.probes.set(pod, new Probe(pod, child));
  }

  async #until(child: ChildProcess, name: string, ready: () => Promise<boolean>): Promise<void> {
    const ended = once(child, "exit").then(() => true);
    let over = false;
    void ended.then(() => {
      over = true;
    });
    try {
      await eventually(async () => over || (await ready().catch(() => false)), { timeoutMs: 120_000, intervalMs: 100 });
    } catch (error) {
      throw new Error(`${name} does not become ready: ${(await this.log(name)).slice(-3000)}`, { cause: error });
    }
    if (over) throw new Error(`${name} ended: ${(await this.log(name)).slice(-3000)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** What seals the signing keys of the user service; the verification opens them to sign tokens of its own. */
export const keyEncryptionSecret = "mesh-verification-only-0123456789abcdef";

const embedded: Readonly<Record<string, string>> = {
  DATABASE_URL: "",
  REDIS_URL: "",
  BLOB_URL: "",
  OTEL_EXPORTER_OTLP_ENDPOINT: "",
  LOG_LEVEL: "info",
  // The probes of one run ask more than a person does.
  RATE_LIMIT_PERCENT: "0",
  SIGN_UP: "open",
};

function portsOf(pod: Pod, { kubernetes }: Cluster): { port: number; targetPort: number }[] {
  const service = kubernetes.find(({ kind, spec }) => kind === "Service" && spec.selector?.app === pod.labels.app);
  return service?.spec.ports ?? [];
}

function entryOf(workload: string): string {
  return workload === "web" ? "web/main.ts" : `services/${workload}/main.ts`;
}

function proxyConfigOf({ annotations }: Pod): object {
  const text = annotations["proxy.istio.io/config"];
  return text === undefined ? {} : (parse(text) as object);
}

function parseAnswer(output: string): { changed: string[]; acknowledged: boolean } {
  try {
    return JSON.parse(output);
  } catch {
    throw new Error(`istiod refused the objects: ${output}`);
  }
}

async function writeHosts(folder: string, { hosts }: Cluster, options: MeshOptions, ingress: string): Promise<void> {
  const lines = [
    "127.0.0.1 localhost",
    ...hosts,
    `${ingress} ${options.domain}`,
    ...options.outside.map((name) => `${knownAddress} ${name}`),
    ...options.undeclared.map((name) => `${unknownAddress} ${name}`),
  ];
  await writeFile(join(folder, "hosts"), `${lines.join("\n")}\n`);
}
