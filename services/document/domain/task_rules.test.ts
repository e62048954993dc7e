import { describe, expect, it } from "@jest/globals";
import { NewVersionRule, TaskKind, TaskOutcome, TaskStatus } from "@docket/contracts/gen/docket/document/v1/task_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { reasonOf } from "@docket/runtime/errors";
import { complete, dateText, onNewVersion, type Pin, pinTo, reopen, setStatus, type TaskState } from "./task_rules.ts";

const version = (number: number): Pin => ({
  versionId: `version-${number}`,
  versionNumber: number,
  digest: new Uint8Array(32).fill(number),
});

const task = (values: Partial<TaskState> = {}): TaskState => ({
  kind: TaskKind.TODO,
  status: TaskStatus.OPEN,
  pin: version(3),
  rule: NewVersionRule.GO_STALE,
  stale: false,
  ...values,
});

const approved = (rule: NewVersionRule): TaskState => {
  const open = task({ kind: TaskKind.APPROVAL, rule });
  const done = complete(open, {
    outcome: TaskOutcome.APPROVED,
    note: "",
    digest: version(3).digest,
    by: "person:a",
    at: 1,
  });
  if (done === undefined) throw new Error("nothing happened");
  return done;
};

function reasonFrom(run: () => unknown): Reason | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

describe("a new version", () => {
  it("leaves a task that goes stale with the version it speaks of, and says so", () => {
    const moved = onNewVersion(task(), version(4));
    expect(moved).toMatchObject({
      task: { stale: true, pin: { versionNumber: 3 }, status: TaskStatus.OPEN },
      reopened: false,
    });
  });

  it("does nothing more to a task that is stale already", () => {
    expect(onNewVersion(task({ stale: true }), version(5))).toBeUndefined();
  });

  it("takes an open task along that is carried over", () => {
    const moved = onNewVersion(task({ rule: NewVersionRule.CARRY_OVER, status: TaskStatus.IN_PROGRESS }), version(4));
    expect(moved).toMatchObject({ task: { stale: false, pin: { versionNumber: 4 }, status: TaskStatus.IN_PROGRESS } });
  });

  it("leaves a completed task with its version although its rule carries over", () => {
    const moved = onNewVersion(approved(NewVersionRule.CARRY_OVER), version(4));
    expect(moved?.task).toMatchObject({
      stale: true,
      pin: { versionNumber: 3 },
      completion: { pin: { versionNumber: 3 } },
    });
  });

  it("opens a completed task again on the new version, and keeps what was decided of the old one as such", () => {
    const moved = onNewVersion(approved(NewVersionRule.REOPEN), version(4));
    expect(moved?.reopened).toBe(true);
    expect(moved?.task).toMatchObject({
      status: TaskStatus.OPEN,
      stale: false,
      pin: { versionNumber: 4 },
      lastCompletion: { outcome: TaskOutcome.APPROVED, pin: { versionNumber: 3 } },
    });
    expect(moved?.task.completion).toBeUndefined();
  });

  it("never leaves a decision beside another version than the one it was made on", () => {
    for (const rule of [NewVersionRule.GO_STALE, NewVersionRule.CARRY_OVER, NewVersionRule.REOPEN]) {
      for (const start of [approved(rule), task({ rule }), task({ rule, stale: true })]) {
        const after = onNewVersion(start, version(4))?.task ?? start;
        if (after.completion !== undefined) expect(after.completion.pin).toEqual(after.pin);
      }
    }
  });

  it("does not concern tasks that stand alone", () => {
    const { pin: _, ...alone } = task({ rule: NewVersionRule.REOPEN });
    expect(onNewVersion(alone, version(4))).toBeUndefined();
  });
});

describe("completing", () => {
  it("records the version and digest that it was completed against", () => {
    const done = complete(task(), { outcome: TaskOutcome.UNSPECIFIED, note: "done", by: "person:a", at: 7 });
    expect(done).toMatchObject({
      status: TaskStatus.COMPLETED,
      completion: { pin: version(3), note: "done", by: "person:a", at: 7 },
    });
  });

  it("is possible on a stale task, for the version that it speaks of", () => {
    const stale = task({ stale: true, kind: TaskKind.APPROVAL });
    const done = complete(stale, {
      outcome: TaskOutcome.REJECTED,
      note: "",
      digest: version(3).digest,
      by: "person:a",
      at: 7,
    });
    expect(done).toMatchObject({
      stale: true,
      completion: { pin: { versionNumber: 3 }, outcome: TaskOutcome.REJECTED },
    });
  });

  it("refuses a decision about other contents than the pinned ones", () => {
    const open = task({ kind: TaskKind.APPROVAL });
    const request = { outcome: TaskOutcome.APPROVED, note: "", digest: version(4).digest, by: "person:a", at: 7 };
    expect(reasonFrom(() => complete(open, request))).toBe(Reason.TASK_PIN_MISMATCH);
  });

  it("wants a decision and a digest for approvals, and no decision for other tasks", () => {
    const said = { note: "", by: "person:a", at: 7 };
    const approval = task({ kind: TaskKind.APPROVAL });
    const unspecified = TaskOutcome.UNSPECIFIED;
    expect(reasonFrom(() => complete(approval, { ...said, outcome: unspecified }))).toBe(Reason.INVALID_ARGUMENT);
    expect(reasonFrom(() => complete(approval, { ...said, outcome: TaskOutcome.APPROVED }))).toBe(
      Reason.INVALID_ARGUMENT,
    );
    expect(reasonFrom(() => complete(task(), { ...said, outcome: TaskOutcome.APPROVED }))).toBe(
      Reason.INVALID_ARGUMENT,
    );
  });

  it("changes nothing the second time, and refuses another outcome", () => {
    const done = approved(NewVersionRule.GO_STALE);
    const again = { note: "", digest: version(3).digest, by: "person:b", at: 9 };
    expect(complete(done, { ...again, outcome: TaskOutcome.APPROVED })).toBeUndefined();
    expect(reasonFrom(() => complete(done, { ...again, outcome: TaskOutcome.REJECTED }))).toBe(Reason.TASK_STATUS);
  });
});

describe("reopening", () => {
  it("stays with the version unless the newest is asked for", () => {
    const done = { ...approved(NewVersionRule.GO_STALE), stale: true };
    expect(reopen(done, undefined)).toMatchObject({ status: TaskStatus.OPEN, stale: true, pin: { versionNumber: 3 } });
    const onNewest = reopen(done, version(5));
    expect(onNewest).toMatchObject({
      stale: false,
      pin: { versionNumber: 5 },
      lastCompletion: { pin: { versionNumber: 3 } },
    });
    expect(onNewest?.completion).toBeUndefined();
  });

  it("leaves an open task as it is", () => {
    expect(reopen(task(), undefined)).toBeUndefined();
    expect(reopen(task(), version(3))).toBeUndefined();
  });
});

it("changes the status of tasks that are not completed only", () => {
  expect(setStatus(task(), TaskStatus.IN_PROGRESS).status).toBe(TaskStatus.IN_PROGRESS);
  expect(reasonFrom(() => setStatus(approved(NewVersionRule.GO_STALE), TaskStatus.OPEN))).toBe(Reason.TASK_STATUS);
});

it("pins a task only to the contents that its maker looked at", () => {
  expect(pinTo(version(3), undefined)).toEqual(version(3));
  expect(reasonFrom(() => pinTo(version(3), version(4).digest))).toBe(Reason.TASK_PIN_MISMATCH);
});

it("takes calendar dates that exist", () => {
  expect(dateText({ year: 2028, month: 2, day: 29 })).toBe("2028-02-29");
  expect(dateText({ year: 7, month: 1, day: 1 })).toBe("0007-01-01");
  expect(reasonFrom(() => dateText({ year: 2026, month: 2, day: 29 }))).toBe(Reason.INVALID_ARGUMENT);
});
