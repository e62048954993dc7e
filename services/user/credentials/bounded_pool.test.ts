import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { reasonOf } from "@docket/runtime/errors";
import { describe, expect, it } from "@jest/globals";
import { BoundedPool } from "./bounded_pool.ts";

describe("a bounded pool", () => {
  it("runs no more at once than it may, lets some wait and refuses the rest", async () => {
    const pool = new BoundedPool(2, 3);
    const gate = Promise.withResolvers<void>();
    let running = 0;
    let most = 0;
    const task = async () => {
      running += 1;
      most = Math.max(most, running);
      await gate.promise;
      running -= 1;
      return "done";
    };
    const calls = Array.from({ length: 7 }, () =>
      pool.run(task).catch((error: unknown) => {
        expect((error as { retryAfterMs: number }).retryAfterMs).toBe(1000);
        return reasonOf(error);
      }),
    );
    gate.resolve();
    const results = await Promise.all(calls);
    expect(results.filter((result) => result === "done")).toHaveLength(5);
    expect(results.filter((result) => result === Reason.OVERLOADED)).toHaveLength(2);
    expect(most).toBe(2);
    expect(await pool.run(async () => "again")).toBe("again");
  });

  it("gives the place free when a task fails", async () => {
    const pool = new BoundedPool(1, 0);
    await expect(pool.run(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await pool.run(async () => 1)).toBe(1);
  });
});
