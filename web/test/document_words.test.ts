// @vitest-environment node
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { ChangeKind, ChangeSchema } from "@docket/contracts/gen/docket/document/v1/change_pb.ts";
import { AccessLayerKind, AccessLayerSchema, GrantLevel } from "@docket/contracts/gen/docket/document/v1/grant_pb.ts";
import { TaskOutcome, TaskStatus } from "@docket/contracts/gen/docket/document/v1/task_pb.ts";
import { describe, expect, it } from "vitest";
import { type AccessNames, explainedLayers, holderKey } from "../app/composables/access_words.ts";
import { changeIcon, changeSentence, groupByDay } from "../app/composables/activity.ts";
import { dateOf, isoOf, taskStateKey } from "../app/composables/task_words.ts";
import document from "../app/texts/en/document.json";

const textAt = (key: string) =>
  key.split(".").reduce<unknown>((found, name) => (found as Record<string, unknown>)?.[name], document);

describe("what happened, in words", () => {
  const kinds = Object.values(ChangeKind).filter((kind) => typeof kind === "number");

  it.each(kinds)("there is a sentence and an icon for a change of kind %i", (kind) => {
    const { key } = changeSentence(create(ChangeSchema, { kind }), {});
    expect(typeof textAt(key)).toBe("string");
    expect(changeIcon(kind)).toMatch(/^i-lucide-/);
  });

  it("tells the version, and the task where its title is known", () => {
    const added = create(ChangeSchema, { kind: ChangeKind.VERSION_CREATED, version: { number: 3 } });
    expect(changeSentence(added, {})).toMatchObject({ key: "activity.versionCreated", values: { n: 3 } });
    const done = create(ChangeSchema, { kind: ChangeKind.TASK_COMPLETED });
    expect(changeSentence(done, { task: "Check" })).toMatchObject({
      key: "activity.taskCompletedNamed",
      values: { task: "Check" },
    });
  });

  it("tells whether a task is due or overdue", () => {
    const due = create(ChangeSchema, { kind: ChangeKind.TASK_DUE, taskDue: { overdue: false } });
    expect(changeSentence(due, { task: "Check" }).key).toBe("activity.taskDueNamed");
    const overdue = create(ChangeSchema, { kind: ChangeKind.TASK_DUE, taskDue: { overdue: true } });
    expect(changeSentence(overdue, {}).key).toBe("activity.taskOverdue");
  });

  it("puts what happened on one day together, in order", () => {
    expect(groupByDay(["b2", "b1", "a1"], (item) => item.charAt(0))).toEqual([
      { day: "b", items: ["b2", "b1"] },
      { day: "a", items: ["a1"] },
    ]);
  });
});

describe("why somebody has access, in words", () => {
  const names: AccessNames = {
    group: (id) => (id === "g" ? "Inspectors" : undefined),
    folder: (id) => (id === "f" ? "Quays" : undefined),
    workspace: "Harbour",
  };
  const layer = (init: MessageInitShape<typeof AccessLayerSchema>) =>
    create(AccessLayerSchema, { passes: true, ...init });
  const granted = (init: NonNullable<MessageInitShape<typeof AccessLayerSchema>["grant"]>, groupId?: string) =>
    explainedLayers(
      [layer({ kind: AccessLayerKind.GRANT, level: GrantLevel.EDITOR, grant: init, path: { groupId, folderIds: [] } })],
      names,
    )[0];

  it("leaves out which services may call, and keeps the order of the rest", () => {
    const layers = [AccessLayerKind.MESH, AccessLayerKind.SESSION, AccessLayerKind.ROLE].map((kind) => layer({ kind }));
    expect(explainedLayers(layers, names).map(({ key }) => key)).toEqual(["access.why.session", "access.why.role"]);
  });

  it("names group and folder of a grant, with its level", () => {
    const principal = { principal: { case: "groupId", value: "g" } } as const;
    expect(granted({ resource: { case: "folderId", value: "f" }, principal }, "g")).toEqual({
      key: "access.why.group.folder",
      values: { folder: "Quays", group: "Inspectors" },
      passes: true,
      level: "access.level.editor",
    });
  });

  it("does not name a folder that the asker may not see", () => {
    const principal = { principal: { case: "personId", value: "p" } } as const;
    expect(granted({ resource: { case: "folderId", value: "hidden" }, principal })?.key).toBe(
      "access.why.direct.hiddenFolder",
    );
  });

  it("says that all members have it", () => {
    const principal = { principal: { case: "members", value: true } } as const;
    expect(granted({ resource: { case: "workspaceId", value: "w" }, principal })?.key).toBe(
      "access.why.members.workspace",
    );
  });

  it("says that nothing was granted", () => {
    const none = layer({ kind: AccessLayerKind.GRANT, passes: false });
    expect(explainedLayers([none], names)).toEqual([{ key: "access.why.noGrant", values: {}, passes: false }]);
  });

  it("has a text for each way", () => {
    for (const how of ["members", "group", "direct", "mine"])
      for (const where of ["workspace", "folder", "hiddenFolder", "document"])
        expect(typeof textAt(`access.why.${how}.${where}`)).toBe("string");
  });

  it("tells holders apart", () => {
    expect(holderKey({ case: "personId", value: "1" })).not.toBe(holderKey({ case: "groupId", value: "1" }));
    expect(holderKey(undefined)).toBe("");
  });
});

describe("tasks in words", () => {
  it("says how an approval was decided, whatever the status", () => {
    const decided = (outcome: TaskOutcome) =>
      taskStateKey({ status: TaskStatus.COMPLETED, completion: { outcome } as never });
    expect(decided(TaskOutcome.APPROVED)).toBe("task.state.approved");
    expect(decided(TaskOutcome.REJECTED)).toBe("task.state.rejected");
    expect(taskStateKey({ status: TaskStatus.IN_PROGRESS })).toBe("task.state.inProgress");
  });

  it("takes dates from inputs and gives them back", () => {
    expect(isoOf(dateOf("2026-01-09"))).toBe("2026-01-09");
    expect(dateOf("")).toBeUndefined();
    expect(isoOf(undefined)).toBe("");
  });
});
