// What the contract knows of the architecture: the diagram and the tables of docs/architecture/containers.md.
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { workloadName, workloads } from "@docket/contracts/policy";
import { files } from "@docket/contracts/registry";
import { callGraphOf } from "@docket/mesh/call_graph";
import { type Need, rowOf } from "@docket/mesh/workloads";

const begin = "<!-- generated: containers -->";
const end = "<!-- end of containers -->";

/** The page with what stands between its two marks made anew. Throws when a mark is missing. */
export function containersPage(page: string): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error("docs/architecture/containers.md lacks its marks");
  return `${page.slice(0, from + begin.length)}\n${diagram()}\n\n${table()}\n${page.slice(to)}`;
}

/** What each workload is for, in two words; a new one is drawn without. */
const purposes: Readonly<Partial<Record<Workload, string>>> = {
  [Workload.GATEWAY]: "the edge: sessions, protocols, transfers",
  [Workload.WEB]: "the portal's pages",
  [Workload.USER]: "accounts, sessions, workspaces, roles, keys",
  [Workload.DOCUMENT]: "documents, versions, tasks, grants, changes",
  [Workload.STORAGE]: "uploads and contents",
  [Workload.INTEGRATION]: "webhooks",
  [Workload.INGRESS]: "Envoy, the way in",
  [Workload.OPERATOR]: "the access pod",
};

const needs: Readonly<Record<Need, { readonly box: string; readonly words: string }>> = {
  mysql: { box: '[("MySQL, MariaDB or SQLite<br/>a schema each")]', words: "a database" },
  redis: { box: '[("Redis<br/>copies only")]', words: "Redis" },
  objects: { box: '[("bucket or folder")]', words: "the bucket" },
  mail: { box: '["mail server"]', words: "a mail server" },
  internet: { box: '(["Internet"])', words: "the Internet" },
};

function diagram(): string {
  const graph = callGraphOf(files);
  const lines = ["flowchart LR", '  clients(["people, client applications"]) --> ingress'];
  for (const workload of workloads) {
    const purpose = purposes[workload];
    const worker = rowOf(workload).worker === true ? "<br/>servers and workers" : "";
    const label = `<b>${workloadName(workload)}</b>${purpose === undefined ? "" : `<br/>${purpose}`}${worker}`;
    lines.push(`  ${workloadName(workload)}["${label}"]`);
  }
  for (const caller of workloads) {
    for (const callee of graph.callees(caller)) {
      const number = graph.served(callee).filter((rpc) => !rpc.foreign && rpc.callers.includes(caller)).length;
      lines.push(`  ${workloadName(caller)} -- ${number === 0 ? "HTTP" : number} --> ${workloadName(callee)}`);
    }
  }
  const drawn = new Set<Need>();
  for (const workload of workloads) {
    for (const need of rowOf(workload).needs) {
      lines.push(`  ${workloadName(workload)} -.-> ${need}${drawn.has(need) ? "" : needs[need].box}`);
      drawn.add(need);
    }
  }
  return `\`\`\`mermaid\n${lines.join("\n")}\n\`\`\``;
}

function table(): string {
  const graph = callGraphOf(files);
  const rows = workloads.map((workload) => {
    const { grpcPort, pages = [], publicPorts = [], worker, needs: needed } = rowOf(workload);
    const served = graph.served(workload).filter(({ foreign }) => !foreign).length;
    const doors = [
      ...(grpcPort === undefined ? [] : [`${grpcPort} gRPC`]),
      ...pages.map(({ port, callers }) => `${port} HTTP, for ${callers.map(workloadName).join(", ")}`),
      ...publicPorts.map((port) => `${port} for everybody`),
    ];
    const cells = [
      `\`${workloadName(workload)}\``,
      served === 0 ? "" : String(served),
      doors.join("; "),
      worker === true ? `\`${workloadName(workload)}-worker\`` : "",
      needed.map((need) => needs[need].words).join(", "),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return `| workload | RPCs | listens on | works in | needs |\n|---|---|---|---|---|\n${rows.join("\n")}`;
}
