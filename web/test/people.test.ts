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

describe("the names of people", () => {
  it("are asked for once, all together", async () => {
    await using portal = await openNames();
    const people = await portal.run(() => usePeople(harbour.id));
    await people.know(["ben", "cranes", "ben", ""]);
    await people.know(["cranes"]);
    expect(requestsOf(portal.calls, WorkspaceService.method.resolveNames).map(({ ids }) => ids)).toEqual([
      ["ben", "cranes"],
    ]);
    expect(people.nameOf("ben")).toBe("Ben Okafor");
    expect(people.principalOf("cranes")).toMatchObject({ kind: "group", name: "Crane inspectors" });
  });

  it("are asked for in parts where they are many", async () => {
    await using portal = await openNames();
    const people = await portal.run(() => usePeople(harbour.id));
    await people.know(Array.from({ length: 450 }, (_, at) => `person ${at}`));
    const sizes = requestsOf(portal.calls, WorkspaceService.method.resolveNames).map(({ ids }) => ids.length);
    expect(sizes.sort()).toEqual([200, 200, 50]);
  });

  it("stay those of then for who has left, and are words for who is unknown", async () => {
    await using portal = await openNames();
    const people = await portal.run(() => usePeople(harbour.id));
    await people.know(["carla", "nobody"]);
    expect(people.nameOf("carla")).toBe("Carla Ruiz");
    expect(people.principalOf("carla")?.former).toBe(true);
    expect(people.nameOf("nobody")).toBe("Former member");
    expect(people.nameOf("not asked for")).toBe("Somebody");
  });

  it("are known of oneself without asking", async () => {
    await using portal = await openNames();
    const people = await portal.run(() => usePeople(harbour.id));
    expect(people.nameOf(anna.id)).toBe(anna.displayName);
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
    const people = await portal.run(() => usePeople(harbour.id));
    await people.know(["ben"]);
    expect(people.nameOf("ben")).toBe("Somebody");
    reached = true;
    await people.know(["ben"]);
    expect(people.nameOf("ben")).toBe("Ben");
  });
});
