import { PrincipalKind } from "@docket/contracts/gen/docket/user/v1/principal_pb.ts";
import { newId } from "@docket/runtime/ids";
import { eventually } from "@docket/runtime/testing/eventually";
import { describe, expect, it } from "@jest/globals";
import { builtInRoleIds } from "../domain/roles.ts";
import { joined, workspaceOf } from "./workspaces.cases.ts";
import { refusal, startWorld, type World } from "./world.ts";

const { PERSON, GROUP } = PrincipalKind;

/** What differs from a task of Ben's that is due. */
interface About {
  readonly requestId?: string;
  readonly assignee?: { readonly kind: PrincipalKind; readonly id: string };
  readonly title?: string;
  readonly overdue?: boolean;
  readonly documentId?: string;
}

/** A workspace with two people, in a world that has got a mail server since. */
async function withCrew() {
  const options = { mail: false };
  const world = await startWorld({}, options);
  const anna = await world.signUp("Anna");
  const workspaceId = await workspaceOf(anna, "Harbour");
  const ben = await joined(world, anna, workspaceId, "Ben", builtInRoleIds.member);
  options.mail = true;
  await world.restart();
  const remind = (about: About = {}) =>
    world.notifications.sendTaskReminder({
      requestId: newId(),
      workspaceId,
      assignee: { kind: PERSON, id: ben.id },
      title: "Paint the crane",
      dueDate: "2026-11-21",
      ...about,
    });
  return { world, anna, ben, workspaceId, remind };
}

export function notificationCases(seen: (world: World) => void): void {
  describe("reminders of tasks", () => {
    it("go to the assignee, once for each id, with a link to the task", async () => {
      const { world, ben, remind } = await withCrew();
      await using _ = world;
      const documentId = newId();
      const requestId = newId();
      expect(await remind({ requestId, documentId })).toMatchObject({ mails: 1 });
      expect(await remind({ requestId, documentId })).toMatchObject({ mails: 1 });
      expect(await refusal(remind({ requestId, documentId, overdue: true }))).toBe("REQUEST_ID_REUSED");
      await remind({ overdue: true, title: "" });
      await eventually(() => expect(world.mails).toHaveLength(2));
      const [due, overdue] = [...world.mails].sort((a, b) => b.subject.length - a.subject.length);
      expect(due).toMatchObject({ to: ben.email, subject: '"Paint the crane" is due today' });
      expect(due?.text).toContain('in the workspace "Harbour" is due today, 21 November 2026');
      expect(due?.text).toContain(`https://docket.test/d/${documentId}`);
      expect(overdue).toMatchObject({ to: ben.email, subject: "A task is overdue" });
      expect(overdue?.text).toContain("https://docket.test/tasks");
      seen(world);
    });

    it("go to everybody in a group and in the groups in it, each once", async () => {
      const { world, anna, ben, workspaceId, remind } = await withCrew();
      await using _ = world;
      const group = async (name: string) => (await anna.groups.createGroup({ workspaceId, name })).group?.id ?? "";
      const [outer, inner] = [await group("Outer"), await group("Inner")];
      const put = (groupId: string, kind: PrincipalKind, id: string) =>
        anna.groups.addGroupMember({ workspaceId, groupId, principal: { kind, id } });
      await put(outer, GROUP, inner);
      await put(outer, PERSON, anna.id);
      await put(inner, PERSON, anna.id);
      await put(inner, PERSON, ben.id);
      expect(await remind({ assignee: { kind: GROUP, id: outer } })).toMatchObject({ mails: 2 });
      await eventually(() => expect(world.mails.map(({ to }) => to).sort()).toEqual([anna.email, ben.email].sort()));
      seen(world);
    });

    it("do not go to somebody who has left the workspace or is disabled meanwhile", async () => {
      const { world, anna, ben, workspaceId, remind } = await withCrew();
      await using _ = world;
      world.failMail(true);
      await remind();
      await eventually(() => expect(world.logLines.join("")).toContain("the mail server is away"));
      await anna.workspaces.removeMember({ workspaceId, userId: ben.id });
      world.failMail(false);
      world.advance(10 * 60_000);
      await remind({ assignee: { kind: PERSON, id: anna.id } });
      await eventually(() => expect(world.mails).toHaveLength(1));
      expect(world.mails[0]?.to).toBe(anna.email);
      seen(world);
    });

    it("are taken and go nowhere while there is no mail server", async () => {
      await using world = await startWorld();
      const anna = await world.signUp("Anna");
      const workspaceId = await workspaceOf(anna, "Harbour");
      const assignee = { kind: PERSON, id: anna.id };
      const request = { requestId: newId(), workspaceId, assignee, title: "x", dueDate: "2026-11-21" };
      expect(await world.notifications.sendTaskReminder(request)).toMatchObject({ mails: 0 });
      seen(world);
    });
  });
}
