import { eventually } from "@docket/runtime/testing/eventually";
import { describe, expect, it } from "@jest/globals";
import { builtInRoleIds } from "../domain/roles.ts";
import { follow } from "./following.ts";
import { joined, workspaceOf } from "./workspaces.cases.ts";
import { refusal, startWorld, type World } from "./world.ts";

export function changeCases(world: () => World): void {
  describe("the stream of changes", () => {
    it("goes on from a cursor without a gap and in order", async () => {
      const host = await world().signUp("Host Stream");
      const workspaceId = await workspaceOf(host, "Stream");
      let cursor = "";
      await using whole = await follow(world());
      {
        await using part = await follow(world());
        await host.groups.createGroup({ workspaceId, name: "One" });
        await part.until("accessChanged");
        cursor = part.cursor();
      }
      await host.groups.createGroup({ workspaceId, name: "Two" });
      const person = await joined(world(), host, workspaceId, "Person Stream", builtInRoleIds.member);
      await person.workspaces.leaveWorkspace({ workspaceId });
      await using resumed = await follow(world(), cursor);
      await resumed.until("memberRemoved");
      await whole.until("memberRemoved");
      const ids = whole.changes.map(({ id }) => id);
      const after = resumed.changes.map(({ id }) => id);
      expect(ids.slice(ids.length - after.length)).toEqual(after);
      const epochs = whole.changes.flatMap(({ event }) =>
        event.case === "accessChanged" && event.value.workspaceId === workspaceId ? [Number(event.value.epoch)] : [],
      );
      expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
      expect(new Set(epochs).size).toBe(epochs.length);
      const { epoch } = await world().memberships.getWorkspaceFacts({ workspaceId });
      expect(epoch).toBe(String(epochs.at(-1)));
    });

    it("says that a cursor of another log is of no use", async () => {
      const reading = world().changes.watchUserChanges({ cursor: "999999999" })[Symbol.asyncIterator]();
      expect(await refusal(reading.next())).toBe("USER_CURSOR_EXPIRED");
      expect(await refusal(world().changes.watchUserChanges({ cursor: "x" })[Symbol.asyncIterator]().next())).toBe(
        "INVALID_ARGUMENT",
      );
    });

    it("ends at once when the service stops, and goes on where it was after the restart", async () => {
      await using other = await startWorld();
      const host = await other.signUp("Host Restart");
      const workspaceId = await workspaceOf(host, "Restart");
      const before = await follow(other);
      await host.groups.createGroup({ workspaceId, name: "One" });
      await before.until("accessChanged");
      await other.restart();
      await before[Symbol.asyncDispose]();
      await host.groups.createGroup({ workspaceId, name: "Two" });
      await using after = await follow(other, before.cursor());
      await after.until("accessChanged");
      expect(after.changes).toHaveLength(1);
    });

    it("tells of a changed workspace, and of what happened while nobody listened", async () => {
      const host = await world().signUp("Host Told");
      const workspaceId = await workspaceOf(host, "Told");
      let cursor = "";
      {
        await using before = await follow(world());
        cursor = before.cursor();
      }
      await host.workspaces.updateWorkspace({ workspaceId, name: "New", updateMask: { paths: ["name"] } });
      await host.sessions.signOut({});
      await using later = await follow(world(), cursor);
      await eventually(() => expect(later.kinds()).toEqual(["accessChanged", "workspaceUpdated", "sessionEnded"]));
    });
  });
}
