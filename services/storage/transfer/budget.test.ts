import { describe, expect, it } from "@jest/globals";
import { ByteBudget } from "./budget.ts";

describe("a byte budget", () => {
  it("lets in what fits and holds back the rest in order", async () => {
    const budget = new ByteBudget(10);
    const granted: string[] = [];
    expect(budget.take(6)).toBeUndefined();
    const big = Promise.resolve(budget.take(8)).then(() => granted.push("big"));
    const small = Promise.resolve(budget.take(2)).then(() => granted.push("small"));
    expect(budget.tryTake(1)).toBe(false);
    await Promise.resolve();
    expect(granted).toEqual([]);
    budget.give(6);
    await Promise.all([big, small]);
    expect(granted).toEqual(["big", "small"]);
    budget.give(8);
    budget.give(2);
    expect(budget.used).toBe(0);
  });

  it("grants all of itself to one that asks for more", () => {
    const budget = new ByteBudget(10);
    expect(budget.take(1000)).toBeUndefined();
    expect(budget.used).toBe(10);
    budget.give(1000);
    expect(budget.used).toBe(0);
  });
});
