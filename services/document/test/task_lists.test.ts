import { TaskStatus } from "@docket/contracts/gen/docket/document/v1/task_pb.ts";
import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { newId } from "@docket/runtime/ids";
import { describe, expect, it } from "@jest/globals";
import { alone, startTasks, titles, toGroup, toPerson } from "./task_world.ts";
import { on, reasonOf } from "./world.ts";

describe("lists of tasks", () => {
  it("come in pages, the latest first, and by status", async () => {
    await using it = await startTasks();
    const { tasks, ann, world } = it;
    const place = alone(world.workspaceId);
    for (const title of ["a", "b", "c", "d", "e"]) {
      const task = await it.create(ann, { place, title });
      if (title === "c") await tasks.completeTask({ taskId: task.id }, ann.as);
    }
    const first = await tasks.listTasks({ place, pageSize: 2 }, ann.as);
    const second = await tasks.listTasks({ place, pageSize: 2, pageToken: first.nextPageToken }, ann.as);
    const third = await tasks.listTasks({ place, pageSize: 2, pageToken: second.nextPageToken }, ann.as);
    expect([first, second, third].flatMap((page) => page.tasks.map(({ title }) => title))).toEqual([
      "e",
      "d",
      "c",
      "b",
      "a",
    ]);
    expect(third.nextPageToken).toBe("");
    const open = { place, statuses: [TaskStatus.OPEN] };
    expect(await titles(tasks.listTasks(open, ann.as))).toEqual(["e", "d", "b", "a"]);
    expect(await titles(tasks.listTasks({ place, statuses: [TaskStatus.COMPLETED] }, ann.as))).toEqual(["c"]);
    expect(await reasonOf(tasks.listTasks({ ...open, pageToken: first.nextPageToken }, ann.as))).toBe(
      "PAGE_TOKEN_INVALID",
    );
    expect(await reasonOf(tasks.listTasks({}, ann.as))).toBe("INVALID_ARGUMENT");
  });

  it("hold what is assigned to somebody and to their groups, in every workspace of theirs and in no other", async () => {
    await using it = await startTasks();
    const { tasks, ann, world } = it;
    const bob = await world.person("member");
    const elsewhere = newId();
    world.users.join(ann, elsewhere);
    world.users.join(bob, elsewhere);
    const groupId = world.users.group(world.workspaceId, bob);
    await it.create(ann, { place: alone(world.workspaceId), title: "person", assignee: toPerson(bob) });
    await it.create(ann, { place: alone(world.workspaceId), title: "group", assignee: toGroup(groupId) });
    await it.create(ann, { place: alone(elsewhere), title: "elsewhere", assignee: toPerson(bob) });
    await it.create(ann, { place: alone(elsewhere), title: "ann's", assignee: toPerson(ann) });
    expect(await titles(tasks.listTasks({ assignedToMe: true }, bob.as))).toEqual(["elsewhere", "group", "person"]);
    const here = { place: alone(world.workspaceId), assignedToMe: true };
    expect(await titles(tasks.listTasks(here, bob.as))).toEqual(["group", "person"]);
    world.users.leave(bob, elsewhere);
    await expect(titles(tasks.listTasks({ assignedToMe: true }, bob.as))).resolves.toEqual(["group", "person"]);
  });

  it("show a guest the tasks of what they may see, wherever it lies, and no others", async () => {
    await using it = await startTasks();
    const { tasks, ann, world } = it;
    const guest = await world.person("guest");
    const shared = await world.folder(ann, "Shared");
    const below = await world.folder(ann, "Below", shared);
    const secret = await world.folder(ann, "Secret");
    const documents = {
      shared: await world.document(ann, "Shared", { folderId: below }),
      single: await world.document(ann, "Single", { folderId: secret }),
      secret: await world.document(ann, "Secret", { folderId: secret }),
      root: await world.document(ann, "Root"),
    };
    for (const [title, documentId] of Object.entries(documents)) {
      await it.create(ann, { place: on(documentId), title, assignee: toPerson(guest) });
    }
    const principal = { principal: { case: "personId" as const, value: guest.id } };
    await world.grants.setGrant({ resource: { case: "folderId", value: shared }, principal, level: 1 }, ann.as);
    await world.grants.setGrant({ resource: on(documents.single), principal, level: 1 }, ann.as);
    const everywhere = { place: alone(world.workspaceId) };
    expect(await titles(tasks.listTasks(everywhere, guest.as))).toEqual(["single", "shared"]);
    expect(await titles(tasks.listTasks({ assignedToMe: true }, guest.as))).toEqual(["single", "shared"]);
    await world.documents.moveDocument(
      { documentId: documents.secret, target: { case: "targetFolderId", value: shared } },
      ann.as,
    );
    expect(await titles(tasks.listTasks(everywhere, guest.as))).toEqual(["secret", "single", "shared"]);
  });

  it("are a key's own workspace for a key, with the scope that they need", async () => {
    await using it = await startTasks();
    const { tasks, ann, world } = it;
    await it.create(ann, { place: alone(world.workspaceId) });
    const key = await world.application("member", [Permission.DOCUMENT_VIEW]);
    expect(await titles(tasks.listTasks({ place: alone(world.workspaceId) }, key.as))).toEqual(["Look"]);
    expect(await titles(tasks.listTasks({ assignedToMe: true }, key.as))).toEqual([]);
    const scopeless = await world.application("member", []);
    expect(await reasonOf(tasks.listTasks({ assignedToMe: true }, scopeless.as))).toBe("KEY_SCOPE_MISSING");
  });
});
