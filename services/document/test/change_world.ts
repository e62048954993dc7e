// A world whose changes are watched.
import { ChangeService } from "@docket/contracts/gen/docket/document/v1/change_service_pb.ts";
import { type Somebody, startWorld, type World } from "./world.ts";

/** A world with its ChangeService, and one member. */
export async function startChanges(options: Parameters<typeof startWorld>[0] = {}) {
  const world = await startWorld(options);
  const ann = await world.person("member");
  return {
    world,
    ann,
    changes: world.client(ChangeService),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

/** The world's own workspace and no other, as a watcher asks for it. */
export const only = (world: World) => ({ filter: { workspaceIds: [world.workspaceId] } });
/** Somebody, as grants name a principal. */
export const person = (who: Somebody) => ({ principal: { case: "personId" as const, value: who.id } });

/** Gives a document another title, which is one change. */
export async function rename(world: World, who: Somebody, documentId: string, title: string): Promise<void> {
  await world.documents.updateDocument({ documentId, title, updateMask: { paths: ["title"] } }, who.as);
}
