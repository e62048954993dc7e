import { describe, expect, it } from "@jest/globals";
import { withoutValues } from "./without_values.ts";

describe("an error of MySQL's driver", () => {
  it.each([
    [
      "Duplicate entry 'Plan' for key 'B'-w' for key 'note.note_title'",
      "Duplicate entry '…' for key 'note.note_title'",
    ],
    [
      "Incorrect integer value: 'it's\na Plan' for column `n`.`note`.`at` at row 1",
      "Incorrect integer value: '…' for column `n`.`note`.`at` at row 1",
    ],
    ["Incorrect datetime value: 'Plan'", "Incorrect datetime value: '…'"],
    [
      "Incorrect string value: '\\xF0 Plan' for column 'title' at row 1",
      "Incorrect string value: '…' for column 'title' at row 1",
    ],
    ["Truncated incorrect DOUBLE value: 'Plan'", "Truncated incorrect DOUBLE value: '…'"],
    [
      "You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version for the right syntax to use near 'Plan' at line 1' at line 2",
      "You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version for the right syntax to use near '…' at line 2",
    ],
    ["Data too long for column 'title' at row 1", "Data too long for column 'title' at row 1"],
  ])("says what is wrong and not with what: %s", (message, clean) => {
    const error = Object.assign(new Error(message), { errno: 1, sql: "select 'Plan'", sqlMessage: message });
    const same = withoutValues(error, "select ?");
    expect(same).toBe(error);
    expect(error).toMatchObject({ message: clean, sqlMessage: clean, sql: "select ?", errno: 1 });
    expect(error.stack).toContain(clean);
    expect(error.stack).not.toContain("'Plan");
    expect(error.stack).not.toContain("a Plan");
  });

  it("is left alone when it is none", () => {
    const error = new Error("connect ECONNREFUSED");
    const before = error.stack;
    expect(withoutValues(error, "select ?")).toBe(error);
    expect([error.stack, "sql" in error]).toEqual([before, false]);
    expect(withoutValues("text", "select ?")).toBe("text");
  });
});
