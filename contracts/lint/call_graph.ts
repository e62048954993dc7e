// Who calls whom, over all services at once.

import type { DescFile } from "@bufbuild/protobuf";
import { callersOf, workloadName, workloadNamed } from "../policy.ts";
import type { Refusal } from "./refusal.ts";

/** Refuses services without a workload, workloads that call themselves, and circles. */
export function lintCallGraph(files: readonly DescFile[]): Refusal[] {
  const refusals: Refusal[] = [];
  const calls = new Map<string, Set<string>>();
  for (const file of files) {
    for (const service of file.services) {
      const refuse = (sentence: string) =>
        refusals.push({ file: `${file.name}.proto`, element: service.typeName, sentence });
      const served = service.typeName.split(".")[1] ?? "";
      if (workloadNamed(served) === undefined) {
        refuse(`is in package ${file.proto.package}, whose second part names no workload.`);
        continue;
      }
      for (const method of service.methods) {
        for (const caller of callersOf(method).map(workloadName)) {
          if (caller === served)
            refuse(`lets ${served} call its own ${method.name} over the mesh; call the function instead.`);
          else calls.set(caller, (calls.get(caller) ?? new Set()).add(served));
        }
      }
    }
  }
  for (const circle of findCircles(calls)) {
    refusals.push({
      file: "proto",
      element: circle.join(" → "),
      sentence: "is a circle of calls; the call graph has none.",
    });
  }
  return refusals;
}

function findCircles(calls: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const circles: string[][] = [];
  const done = new Set<string>();
  const visit = (workload: string, path: string[]) => {
    const start = path.indexOf(workload);
    if (start >= 0) {
      circles.push([...path.slice(start), workload]);
      return;
    }
    if (done.has(workload)) return;
    for (const next of [...(calls.get(workload) ?? [])].sort()) visit(next, [...path, workload]);
    done.add(workload);
  };
  for (const workload of [...calls.keys()].sort()) visit(workload, []);
  return circles;
}
