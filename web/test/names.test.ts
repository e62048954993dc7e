import { Code } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { PrincipalKind } from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";
import { WorkspaceService } from "@docket/contracts/gen/docket/user/v1/workspace_service_pb.ts";
import { describe, expect, it } from "vitest";
import { anna, harbour, openPortal, refusal, requestsOf } from "./portal.ts";

const nameOfIds: Record<string, { kind: PrincipalKind; name: string; former?: boolean }> = {
  ben: { kind: PrincipalKind.PERSON, name: "Ben Okafor" },
  cranes: { kind: PrincipalKind.GROUP, name: "Crane inspectors" },
  carla: { kind: PrincipalKind.PERSON, name: "Carla Ruiz", former: true },
};

const openNames = () =>
  openPortal({
    routes: (router) =>
      router.service(WorkspaceService, {
        resolveNames: ({ ids }) => ({
          names: ids.flatMap((id) => {
            const found = nameOfIds[id];
            return found === undefined ? [] : [{ principal: { kind: found.kind, id }, ...found }];
          }),
        }),
      }),
  });

describe("names", () => {
  it("are asked for once, all together", async () => {
    await using portal = await openNames();
    const names = await portal.run(() => useNames());
    await names.know(["ben", "cranes", "ben", ""], harbour.id);
    await names.know(["cranes"], harbour.id);
    expect(requestsOf(portal.calls, WorkspaceService.method.resolveNames).map(({ ids }) => ids)).toEqual([
      ["ben", "cranes"],
    ]);
    expect(names.nameOf("ben")).toBe("Ben Okafor");
    expect(names.nameOf("cranes")).toBe("Crane inspectors");
  });

  it("are asked for in parts where they are many", async () => {
    await using portal = await openNames();
    const names = await portal.run(() => useNames());
    await names.know(
      Array.from({ length: 450 }, (_, at) => `person ${at}`),
      harbour.id,
    );
    const sizes = requestsOf(portal.calls, WorkspaceService.method.resolveNames).map(({ ids }) => ids.length);
    expect(sizes.sort()).toEqual([200, 200, 50]);
  });

  it("stay those of then for who has left, and are words for who is unknown", async () => {
    await using portal = await openNames();
    const names = await portal.run(() => useNames());
    await names.know(["carla", "nobody"], harbour.id);
    expect(names.nameOf("carla")).toBe("Carla Ruiz");
    expect(names.nameOf("nobody")).toBe("Somebody");
    expect(names.nameOf("not asked for")).toBe("Somebody");
  });

  it("are asked for in another workspace where one did not know them, and once in each", async () => {
    const other = "01900000-0000-7000-8000-0000000000bb";
    await using portal = await openPortal({
      routes: (router) =>
        router.service(WorkspaceService, {
          resolveNames: ({ workspaceId }) => ({
            names: workspaceId === other ? [{ principal: { kind: PrincipalKind.PERSON, id: "ben" }, name: "Ben" }] : [],
          }),
        }),
    });
    const names = await portal.run(() => useNames());
    for (const workspaceId of [harbour.id, harbour.id, other, other]) await names.know(["ben"], workspaceId);
    expect(names.nameOf("ben")).toBe("Ben");
    const asked = requestsOf(portal.calls, WorkspaceService.method.resolveNames);
    expect(asked.map(({ workspaceId }) => workspaceId)).toEqual([harbour.id, other]);
  });

  it("are remembered of who was listed", async () => {
    await using portal = await openNames();
    const names = await portal.run(() => useNames());
    names.learn([{ id: "ben", name: "Ben Okafor" }]);
    await names.know(["ben", undefined], harbour.id);
    expect(names.nameOf("ben")).toBe("Ben Okafor");
    expect(portal.calls).toEqual([]);
  });

  it("are known of oneself without asking", async () => {
    await using portal = await openNames();
    const names = await portal.run(() => useNames());
    expect(names.nameOf(anna.id)).toBe(anna.displayName);
    expect(portal.calls).toEqual([]);
  });

  it("are asked for again where the edge could not say", async () => {
    let reached = false;
    await using portal = await openPortal({
      routes: (router) =>
        router.service(WorkspaceService, {
          resolveNames: () => {
            if (reached) return { names: [{ principal: { kind: PrincipalKind.PERSON, id: "ben" }, name: "Ben" }] };
            throw refusal(Reason.UNAVAILABLE, { code: Code.Unavailable });
          },
        }),
    });
    const names = await portal.run(() => useNames());
    await names.know(["ben"], harbour.id);
    expect(names.nameOf("ben")).toBe("Somebody");
    reached = true;
    await names.know(["ben"], harbour.id);
    expect(names.nameOf("ben")).toBe("Ben");
  });
});
