import { describe, expect, it } from "@jest/globals";
import { expiryOf, type Happening, isFinal, next, type State } from "./upload.ts";

const states: State[] = ["receiving", "verifying", "stored", "attached", "failed", "concatenated"];
const outcome = (state: State, happening: Happening, partial = false) => {
  const transition = next(state, happening, partial);
  return transition.allowed ? transition.state : "refused";
};

describe("an upload's states", () => {
  it("lead from receiving through verifying and stored to attached", () => {
    expect(outcome("receiving", { kind: "bytes" })).toBe("receiving");
    expect(outcome("receiving", { kind: "complete" })).toBe("verifying");
    expect(outcome("verifying", { kind: "verified" })).toBe("stored");
    expect(outcome("stored", { kind: "attached" })).toBe("attached");
  });

  it("take bytes in no state but receiving", () => {
    for (const state of states) {
      expect(outcome(state, { kind: "bytes" })).toBe(state === "receiving" ? "receiving" : "refused");
    }
  });

  it("let a repeated completion be", () => {
    for (const state of ["verifying", "stored", "attached"] as const) {
      expect(outcome(state, { kind: "complete" })).toBe(state);
    }
    expect(outcome("failed", { kind: "complete" })).toBe("refused");
  });

  it("keep the first cause of a failure", () => {
    expect(next("receiving", { kind: "failed", failure: "expired" }, false)).toEqual({
      allowed: true,
      state: "failed",
      failure: "expired",
    });
    expect(next("failed", { kind: "failed", failure: "aborted" }, false)).toEqual({ allowed: true, state: "failed" });
  });

  it("never fail what is attached or was concatenated", () => {
    for (const state of ["attached", "concatenated"] as const) {
      expect(outcome(state, { kind: "failed", failure: "aborted" })).toBe("refused");
    }
  });

  it("let only partial uploads be concatenated, and never be completed", () => {
    expect(outcome("receiving", { kind: "concatenated" }, true)).toBe("concatenated");
    expect(outcome("receiving", { kind: "concatenated" }, false)).toBe("refused");
    expect(outcome("receiving", { kind: "complete" }, true)).toBe("refused");
  });

  it("are final where nothing but themselves follows", () => {
    const happenings: Happening[] = [
      { kind: "bytes" },
      { kind: "complete" },
      { kind: "verified" },
      { kind: "attached" },
      { kind: "concatenated" },
      { kind: "failed", failure: "expired" },
    ];
    for (const state of states) {
      for (const partial of [false, true]) {
        const followers = happenings
          .map((happening) => outcome(state, happening, partial))
          .filter((follower) => follower !== "refused" && follower !== state);
        if (isFinal(state)) expect(followers).toEqual([]);
        else expect(followers.length).toBeGreaterThan(0);
      }
    }
  });

  it("expire after idleness, and in bounded time whatever happens", () => {
    expect(expiryOf(1000, 0, 500, 10_000)).toBe(1500);
    expect(expiryOf(9900, 0, 500, 10_000)).toBe(10_000);
  });
});
