// What a tab is told as text, as messages. Loaded with the first change: most visits see none.

import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { type Change, ChangeSchema } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";

export function changesOf(text: string): Change[] {
  const { changes = [] } = JSON.parse(text) as { changes?: JsonValue[] };
  // A server that is newer than this page may tell more than it knows.
  return changes.map((change) => fromJson(ChangeSchema, change, { ignoreUnknownFields: true }));
}
