// Writes the change log. Always the last statement of the transaction: see @docket/runtime/changelog/changelog.
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Actor, ActorSchema } from "@docket/contracts/gen/docket/document/v1/actor_pb.ts";
import { ChangeKind, ChangeKindSchema, ChangeSchema } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { appendChanges, type NewChange } from "@docket/runtime/changelog/append";
import { enumName } from "@docket/contracts/policy";
import { newId } from "@docket/runtime/ids";
import type { Tx } from "./entities.ts";

/** What is told of a change; who, when and where is added. */
export type ChangeFacts = Omit<
  MessageInitShape<typeof ChangeSchema>,
  "$typeName" | "id" | "cursor" | "workspaceId" | "sequence" | "time" | "actor"
> & { readonly kind: ChangeKind };

/**
 * Appends changes of a workspace, in order. The payload is the Change message as it is delivered, but for cursor and
 * sequence; the log's subject is the document, so that filters by document are served by an index.
 */
export async function recordChanges(
  tx: Tx,
  workspaceId: string,
  at: number,
  actor: string,
  facts: readonly ChangeFacts[],
): Promise<void> {
  if (facts.length === 0) return;
  const by = actorOf(actor);
  const time = timestampFromMs(at);
  const rows = facts.map((fact): NewChange => {
    const subjectId = fact.documentId ?? fact.folderId ?? fact.taskId;
    const change = create(ChangeSchema, {
      ...fact,
      id: newId(),
      workspaceId,
      time,
      ...(by === undefined ? {} : { actor: by }),
    });
    return {
      kind: enumName(ChangeKindSchema, fact.kind ?? ChangeKind.UNSPECIFIED),
      payload: toBinary(ChangeSchema, change),
      ...(subjectId === undefined ? {} : { subjectId }),
    };
  });
  await appendChanges(tx, workspaceId, rows, () => new Date(at));
}

function actorOf(actor: string): Actor | undefined {
  const id = actor.slice(actor.indexOf(":") + 1);
  if (actor.startsWith("person:")) return create(ActorSchema, { actor: { case: "personId", value: id } });
  if (actor.startsWith("application:")) return create(ActorSchema, { actor: { case: "applicationId", value: id } });
  return undefined;
}
