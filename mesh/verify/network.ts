// A network namespace for each pod, on one bridge, with the capture that Istio sets up in a cluster. Needs root.

import { execFile, type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Names of our namespaces begin so; whatever an earlier run left behind is found by it. */
const prefix = "docket-mesh-";
const bridge = `${prefix}bridge`;
/** The address of the bridge: istiod listens there. */
export const bridgeAddress = "10.244.255.1";

/** What a process in a pod's network is started with. */
export interface PodProcess {
  readonly command: string;
  readonly parameters: readonly string[];
  /** Default: root. Envoy runs as 1337, whose connections Istio's rules do not capture. */
  readonly user?: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly folder?: string;
  /** The file that takes what it says; without one, standard input and output are pipes. */
  readonly log?: string;
}

/** The network of a verification. Disposing of it ends every process in it and removes it. */
export class PodNetwork implements AsyncDisposable {
  readonly #children: ChildProcess[] = [];
  readonly #hosts: string;
  readonly #lock: Server;
  #pods = 0;

  /** `hosts` is the path of the file that stands in for /etc/hosts in every pod. */
  private constructor(hosts: string, lock: Server) {
    this.#hosts = hosts;
    this.#lock = lock;
  }

  /** Throws where another verification runs on this machine: its namespaces have the same names. */
  static async create(hosts: string): Promise<PodNetwork> {
    const lock = await takeLock();
    await removeNamespaces();
    await ip("netns", "add", bridge);
    await inside(
      bridge,
      `ip link add br0 type bridge && ip addr add ${bridgeAddress}/16 dev br0 && ip link set br0 up && ip link set lo up`,
    );
    // Answers must come back the way that the calls went; what pods say to each other directly is not looked at.
    await inside(
      bridge,
      "sysctl -qw net.ipv4.ip_forward=1; sysctl -qw net.bridge.bridge-nf-call-iptables=0 || true; iptables -t nat -A POSTROUTING -m conntrack --ctstate DNAT -j MASQUERADE",
    );
    const network = new PodNetwork(hosts, lock);
    // Who interrupts a run leaves no Envoys; the namespaces themselves go with the next run.
    process.once("exit", () => network.#killAll());
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
    return network;
  }

  /** A namespace with one address, and whatever it has no route for given to the bridge. */
  async addPod(name: string, address: string): Promise<void> {
    const namespace = prefix + name;
    this.#pods += 1;
    const [inner, outer] = [`pod${this.#pods}`, `veth${this.#pods}`];
    await ip("netns", "add", namespace);
    await ip("link", "add", inner, "netns", namespace, "type", "veth", "peer", "name", outer, "netns", bridge);
    await inside(bridge, `ip link set ${outer} master br0 up`);
    await inside(
      namespace,
      `ip link set lo up && ip addr add ${address}/16 dev ${inner} && ip link set ${inner} up && ip route add default via ${bridgeAddress}`,
    );
  }

  /** Sends what comes in and goes out of a pod through its proxy, by the rules that Istio's own agent writes. */
  async capture(name: string, pilotAgent: string, excludedInboundPorts: readonly number[]): Promise<void> {
    await ip(
      ...["netns", "exec", prefix + name, pilotAgent, "istio-iptables", "-p", "15001", "-z", "15006", "-u", "1337"],
      ...["-m", "REDIRECT", "-i", "*", "-x", "", "-b", "*", "-d", excludedInboundPorts.join(",")],
    );
  }

  /** Leads a port of a pod to another one, as a Service with a targetPort does for who comes from outside. */
  async redirect(name: string, from: number, to: number): Promise<void> {
    const rule = `-t nat -A PREROUTING -p tcp --dport ${from} -j REDIRECT --to-ports ${to}`;
    await ip("netns", "exec", prefix + name, "iptables", ...rule.split(" "));
  }

  /** What kube-proxy does on a node: whoever comes to the address of a Service without a proxy gets to one of its pods. */
  async serve(clusterAddress: string, port: number, pods: readonly string[], targetPort: number): Promise<void> {
    for (const [index, pod] of pods.entries()) {
      await ip(
        ...["netns", "exec", bridge, "iptables", "-t", "nat", "-A", "PREROUTING", "-d", clusterAddress, "-p", "tcp"],
        ...[
          "--dport",
          `${port}`,
          "-m",
          "statistic",
          "--mode",
          "nth",
          "--every",
          `${pods.length - index}`,
          "--packet",
          "0",
        ],
        ...["-j", "DNAT", "--to-destination", `${pod}:${targetPort}`],
      );
    }
  }

  /** Starts a process in a pod's network, or in the bridge's when no pod is named. */
  start(
    pod: string | undefined,
    { command, parameters, user = 0, environment, folder, log }: PodProcess,
  ): ChildProcess {
    const namespace = pod === undefined ? bridge : prefix + pod;
    // The mount is seen by this process alone: `ip netns exec` gives it mounts of its own.
    const script = `mount --bind '${this.#hosts}' /etc/hosts; exec setpriv --reuid ${user} --regid ${user} --clear-groups "$@"`;
    const output = log === undefined ? undefined : openSync(log, "a", 0o666);
    const child = spawn("ip", ["netns", "exec", namespace, "sh", "-c", script, "sh", command, ...parameters], {
      stdio: output === undefined ? ["pipe", "pipe", "inherit"] : ["ignore", output, output],
      env: environment ?? process.env,
      detached: true,
      ...(folder === undefined ? {} : { cwd: folder }),
    });
    this.#children.push(child);
    return child;
  }

  /** Runs a command in a pod's network to its end. */
  async run(pod: string | undefined, command: string, parameters: readonly string[]): Promise<string> {
    const namespace = pod === undefined ? bridge : prefix + pod;
    const { stdout } = await run("ip", ["netns", "exec", namespace, command, ...parameters], { maxBuffer: 256 << 20 });
    return stdout;
  }

  #killAll(): void {
    for (const child of this.#children) endGroup(child, "SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#killAll();
    await Promise.all(this.#children.map(exited));
    await removeNamespaces();
    this.#lock.close();
  }
}

/** Signals a process and those that it started. */
export function endGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Waits for the end of a process. */
export async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  await new Promise((resolve) => child.once("exit", resolve));
}

/** A name in Linux's abstract namespace of sockets (unix(7)): one process holds it, and its end frees it, however it ends. */
async function takeLock(): Promise<Server> {
  const lock = createServer().listen("\0docket-mesh-verify");
  try {
    await once(lock, "listening");
  } catch (cause) {
    throw new Error("Another verification of the mesh runs on this machine; wait for its end.", { cause });
  }
  lock.unref();
  return lock;
}

async function removeNamespaces(): Promise<void> {
  const { stdout } = await run("ip", ["netns", "list"]);
  for (const line of stdout.split("\n")) {
    const [name = ""] = line.split(" ");
    if (!name.startsWith(prefix)) continue;
    // A run that was killed has left its processes.
    const pids = await run("ip", ["netns", "pids", name]);
    for (const pid of pids.stdout.split("\n").filter((line) => line !== "")) kill(Number(pid));
    await ip("netns", "del", name);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function ip(...parameters: string[]): Promise<void> {
  await run("ip", parameters);
}

async function inside(namespace: string, script: string): Promise<void> {
  await run("ip", ["netns", "exec", namespace, "sh", "-c", script]);
}
