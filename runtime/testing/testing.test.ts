import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { describe, expect, it } from "@jest/globals";
import { eventually } from "./eventually.ts";
import { testIdentities } from "./identities.ts";
import { captureLog } from "./log.ts";
import { temporaryFolder } from "./temporary_folder.ts";

describe("eventually", () => {
  it("returns what the check returns once it neither throws nor is false", async () => {
    let looks = 0;
    const result = await eventually(() => {
      looks += 1;
      if (looks === 1) throw new Error("not yet");
      return looks === 3 ? "done" : false;
    });
    expect([result, looks]).toEqual(["done", 3]);
  });

  it("throws the last error, or says that the condition stayed false", async () => {
    const never = eventually(() => Promise.reject(new Error("still broken")), { timeoutMs: 5, intervalMs: 1 });
    await expect(never).rejects.toThrow("still broken");
    await expect(eventually(() => false, { timeoutMs: 5, intervalMs: 1 })).rejects.toThrow("did not become true");
  });
});

describe("temporaryFolder", () => {
  it("is gone with everything in it when disposed", async () => {
    let path: string;
    {
      await using folder = await temporaryFolder();
      path = folder.path;
      await writeFile(join(path, "file"), "");
    }
    expect(existsSync(path)).toBe(false);
  });
});

describe("testIdentities", () => {
  it("share one authority", async () => {
    const [user, storage] = await testIdentities(Workload.USER, Workload.STORAGE);
    expect(user.current().ca).toBe(storage.current().ca);
    expect(storage.workload).toBe(Workload.STORAGE);
  });
});

describe("captureLog", () => {
  it("holds the lines of a logger and its children", () => {
    const { logger, lines } = captureLog("info");
    logger.child({ request_id: "r1" }).warn({ rows: 2 }, "slow");
    logger.debug("unseen");
    expect(lines()).toMatchObject([{ level: "warn", request_id: "r1", rows: 2, msg: "slow" }]);
  });
});
