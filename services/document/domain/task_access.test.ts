import { describe, expect, it } from "@jest/globals";
import { Permission } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { assigneesOf, levelOnTask, type Standing } from "./access.ts";

const ann = { kind: "person", id: "ann" } as const;
const app = { kind: "application", id: "app" } as const;
const standing = (permissions: Permission[], groupIds: string[] = []): Standing => ({
  member: true,
  permissions: new Set(permissions),
  groupIds,
});
const stranger: Standing = { member: false, permissions: new Set(), groupIds: ["g"] };

describe("a task that stands alone", () => {
  it("is edited by who may make tasks and owned by who manages the workspace", () => {
    expect(levelOnTask(ann, standing([Permission.TASK_CREATE]), "")).toBe(3);
    expect(levelOnTask(ann, standing([Permission.TASK_CREATE, Permission.WORKSPACE_MANAGE]), "")).toBe(4);
  });

  it("is completed by its assignee, also through a group, and not seen by other guests", () => {
    expect(levelOnTask(ann, standing([]), "person:ann")).toBe(2);
    expect(levelOnTask(ann, standing([], ["g"]), "group:g")).toBe(2);
    expect(levelOnTask(ann, standing([]), "person:ben")).toBe(0);
    expect(levelOnTask(ann, standing([]), "")).toBe(0);
  });

  it("is nothing to somebody who has left the workspace, assigned or not", () => {
    expect(levelOnTask(ann, stranger, "person:ann")).toBe(0);
    expect(assigneesOf(ann, stranger)).toEqual([]);
  });

  it("is never assigned to an application, but may be to a group that holds it", () => {
    expect(assigneesOf(app, standing([], ["g"]))).toEqual(["group:g"]);
    expect(assigneesOf(ann, standing([], ["g"]))).toEqual(["person:ann", "group:g"]);
  });
});
