import { type DescFile, hasOption } from "@bufbuild/protobuf";
import { policy } from "./gen/docket/policy/v1/policy_pb.ts";

/** One thing that the linter refuses. */
export interface Refusal {
  /** The proto file, for example `docket/user/v1/user_service.proto`. */
  file: string;
  /** The RPC, field or value, by its full name. */
  element: string;
  /** What is wrong and what would be right. */
  sentence: string;
}

/** Refuses contradictory or missing policies in the given files. */
export function lintFiles(files: readonly DescFile[]): Refusal[] {
  const refusals: Refusal[] = [];
  for (const file of files) {
    for (const service of file.services) {
      for (const method of service.methods) {
        if (!hasOption(method, policy)) {
          refusals.push({
            file: `${file.name}.proto`,
            element: `${service.typeName}/${method.name}`,
            sentence: "has no policy.",
          });
        }
      }
    }
  }
  return refusals;
}
