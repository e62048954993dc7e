import { describe, expect, it } from "@jest/globals";
import { TaskStatus } from "@docket/contracts/gen/docket/document/v1/task_pb.ts";
import {
  dayAfter,
  lastMorning,
  type Remindable,
  reminded,
  reminderColumns,
  reminderDay,
  reminderOn,
} from "./reminders.ts";

const open = (dueDate: string | null, told: number = reminded.none): Remindable => ({
  status: TaskStatus.OPEN,
  due_date: dueDate,
  reminded: told,
});
const at = (text: string) => new Date(text).getTime();

describe("a reminder", () => {
  it("is told on the due date, and once more on the day after", () => {
    const task = open("2026-11-21");
    expect(reminderDay(task)).toBe("2026-11-21");
    expect(reminderOn(task, "2026-11-20")).toBeUndefined();
    expect(reminderOn(task, "2026-11-21")).toEqual({ overdue: false, reminded: reminded.due });
    const told = open("2026-11-21", reminded.due);
    expect(reminderDay(told)).toBe("2026-11-22");
    expect(reminderOn(told, "2026-11-21")).toBeUndefined();
    expect(reminderOn(told, "2026-11-22")).toEqual({ overdue: true, reminded: reminded.overdue });
    expect(reminderDay(open("2026-11-21", reminded.overdue))).toBeNull();
  });

  it("that was missed tells only that the task is overdue", () => {
    expect(reminderOn(open("2026-11-01"), "2026-11-21")).toEqual({ overdue: true, reminded: reminded.overdue });
  });

  it("is not told of what has no due date or is completed", () => {
    expect(reminderDay(open(null))).toBeNull();
    expect(reminderDay({ ...open("2026-11-21"), status: TaskStatus.COMPLETED })).toBeNull();
  });

  it("begins anew with another due date, and goes on where it was when a task is opened again", () => {
    const told = open("2026-11-21", reminded.due);
    expect(reminderColumns(told, { due_date: "2026-12-01" })).toEqual({ reminded: 0, reminder_day: "2026-12-01" });
    expect(reminderColumns(told, { due_date: null })).toEqual({ reminded: 0, reminder_day: null });
    expect(reminderColumns(told, { status: TaskStatus.COMPLETED })).toEqual({ reminder_day: null });
    const completed = { ...told, status: TaskStatus.COMPLETED };
    expect(reminderColumns(completed, { status: TaskStatus.OPEN })).toEqual({ reminder_day: "2026-11-22" });
    expect(reminderColumns(told, { due_date: "2026-11-21", status: TaskStatus.IN_PROGRESS })).toEqual({});
    expect(reminderColumns(told, {})).toEqual({});
  });
});

describe("the morning of a day", () => {
  it("comes at its time in the time zone", () => {
    expect(lastMorning(at("2026-11-21T06:59:59Z"), "Europe/Berlin", "08:00")).toBe("2026-11-20");
    expect(lastMorning(at("2026-11-21T07:00:00Z"), "Europe/Berlin", "08:00")).toBe("2026-11-21");
    expect(lastMorning(at("2026-11-21T07:00:00Z"), "America/Los_Angeles", "08:00")).toBe("2026-11-20");
    expect(lastMorning(at("2026-11-20T18:00:00Z"), "Pacific/Kiritimati", "08:00")).toBe("2026-11-21");
  });

  it("comes an hour earlier by the sun while daylight is saved", () => {
    // Berlin is at UTC+2 until 25 October 2026, and at UTC+1 from then on.
    expect(lastMorning(at("2026-10-24T06:00:00Z"), "Europe/Berlin", "08:00")).toBe("2026-10-24");
    expect(lastMorning(at("2026-10-25T06:00:00Z"), "Europe/Berlin", "08:00")).toBe("2026-10-24");
    expect(lastMorning(at("2026-10-25T07:00:00Z"), "Europe/Berlin", "08:00")).toBe("2026-10-25");
  });

  it("comes right after the hour that is left out, if it lies in it", () => {
    // On 28 March 2027 Berlin goes from 02:00 to 03:00.
    expect(lastMorning(at("2027-03-28T00:59:00Z"), "Europe/Berlin", "02:30")).toBe("2027-03-27");
    expect(lastMorning(at("2027-03-28T01:00:00Z"), "Europe/Berlin", "02:30")).toBe("2027-03-28");
  });

  it("comes by UTC where the zone is unknown", () => {
    expect(lastMorning(at("2026-11-21T08:00:00Z"), "Middle/Earth", "08:00")).toBe("2026-11-21");
    expect(lastMorning(at("2026-11-21T07:59:00Z"), "", "08:00")).toBe("2026-11-20");
  });

  it("is followed by that of the next day, over months and years", () => {
    expect([dayAfter("2026-02-28"), dayAfter("2028-02-28"), dayAfter("2026-12-31")]).toEqual([
      "2026-03-01",
      "2028-02-29",
      "2027-01-01",
    ]);
  });
});
