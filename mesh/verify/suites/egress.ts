// What leaves the mesh: what is declared for a workload, and nothing else.

import type { Checks } from "../checks.ts";
import { unknownAddress, type VerifiedMesh } from "../mesh.ts";
import { greeting, hears, needsOf, watchEntries, watchReach } from "./watches.ts";

/** Hosts outside begin to listen: those that are declared, and one that nobody knows. */
export async function startOutside(mesh: VerifiedMesh): Promise<void> {
  const tls = { certificates: mesh.certificates("edge") };
  const secure = [...new Set(needsOf(mesh).flatMap(({ port, secure: own }) => (own ? [port] : [])))];
  for (const host of ["known", "unknown"]) {
    for (const port of secure) await mesh.probe(host).ask({ operation: "serve", port, greeting, tls });
    for (const port of [3306, 9000]) await mesh.probe(host).ask({ operation: "serve", port, greeting });
  }
}

export async function checkEgress(mesh: VerifiedMesh, checks: Checks): Promise<void> {
  const check = checks.suite("egress");
  const { outside, undeclared } = mesh.options;
  const [unknown = ""] = undeclared;
  const s3 = outside.find((name) => name.startsWith("s3.")) ?? "";
  const entries = await watchEntries(mesh);
  check(`${needsOf(mesh).length} declared hosts are reached by who needs them`, entries === undefined, entries);
  const reach = await watchReach(mesh);
  check("each workload reaches what its clients.ts lists, and no other", reach === undefined, reach);
  const refused: readonly (readonly [pod: string, target: string, secure: boolean, sentence: string])[] = [
    ["document", `${s3}:443`, true, "document does not reach the object store"],
    ["storage", "graph.microsoft.com:443", true, "storage does not reach Microsoft Graph"],
    ["storage", `${unknown}:443`, true, "storage does not reach an undeclared host"],
    ["gateway", `${unknown}:443`, true, "gateway does not reach an undeclared host"],
    ["web", `${unknownAddress}:3306`, false, "web does not reach a database's port"],
  ];
  for (const [pod, target, secure, sentence] of refused) check(sentence, !(await hears(mesh, pod, target, secure)));
  check("integration reaches any receiver of webhooks", await hears(mesh, "integration", `${unknown}:443`, true));
}
