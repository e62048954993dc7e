/**
 * The linter over the descriptors: it refuses policies that are missing or contradict themselves, before anything is
 * generated from them. `npm run gen` and the contract tests run it; each rule has a sentence and a test.
 */
import type { DescFile } from "@bufbuild/protobuf";
import { lintCallGraph } from "./lint/call_graph.ts";
import { lintPolicy } from "./lint/policy_rules.ts";
import { lintReasons, lintReasonValues } from "./lint/reason_rules.ts";
import type { Refusal } from "./lint/refusal.ts";
import { lintRequest } from "./lint/request_rules.ts";
import { lintScopes } from "./lint/scope_rules.ts";
import { hasPolicy } from "./policy.ts";

export type { Refusal } from "./lint/refusal.ts";

/** Everything that is wrong with these files, in their order; empty when all is well. */
export function lintFiles(files: readonly DescFile[]): Refusal[] {
  const refusals: Refusal[] = [];
  for (const file of files) {
    const refuse = (element: string, sentence: string) => {
      refusals.push({ file: `${file.name}.proto`, element, sentence });
    };
    for (const reasons of file.enums.filter(({ typeName }) => typeName === "docket.error.v1.Reason")) {
      lintReasonValues(reasons, refuse);
    }
    for (const method of file.services.flatMap((service) => service.methods)) {
      const element = `${method.parent.typeName}/${method.name}`;
      const refuseRpc = (sentence: string) => refuse(element, sentence);
      lintRequest(method, refuseRpc, refuse);
      if (!hasPolicy(method)) {
        refuseRpc("has no policy; say who may call it and what they must be allowed to do.");
        continue;
      }
      lintPolicy(method, refuseRpc);
      lintScopes(method, refuseRpc, refuse);
      lintReasons(method, refuseRpc);
    }
  }
  return [...refusals, ...lintCallGraph(files)];
}
