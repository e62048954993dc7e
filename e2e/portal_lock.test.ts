// The lock under which the portal is built.

import { readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runScript } from "@docket/runtime/testing/child";
import { eventually } from "@docket/runtime/testing/eventually";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { withBuildLock } from "./portal_lock.ts";

const say = () => undefined;

describe("the lock of the build", () => {
  it("lets one after the other work, and says once that it waits", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "build.lock");
    const said: string[] = [];
    let inside = 0;
    let most = 0;
    const work = async () => {
      inside += 1;
      most = Math.max(most, inside);
      // Whoever comes first holds it until the others have seen that.
      await eventually(() => said.length === 2);
      inside -= 1;
    };
    await Promise.all([1, 2, 3].map(() => withBuildLock(path, { say: (line) => void said.push(line) }, work)));
    expect(most).toBe(1);
    expect(said).toHaveLength(2);
    expect(await readdir(folder.path)).toEqual([]);
  });

  it("is given back when the work fails", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "build.lock");
    const failed = withBuildLock(path, { say }, () => Promise.reject(new Error("no luck")));
    await expect(failed).rejects.toThrow("no luck");
    expect(await withBuildLock(path, { say }, async () => "done")).toBe("done");
  });

  it("is taken from a holder that was killed", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "build.lock");
    await using holder = await runScript(`
      const { withBuildLock } = await import(${JSON.stringify(new URL("portal_lock.ts", import.meta.url).href)});
      await withBuildLock(${JSON.stringify(path)}, { say: () => undefined }, async () => {
        console.log("held");
        await new Promise((resolve) => setTimeout(resolve, 600_000));
      });
    `);
    await holder.printed("held");
    holder.process.kill("SIGKILL");
    await holder.ended();
    expect(await withBuildLock(path, { say }, async () => "done")).toBe("done");
  });

  it("is taken when nobody has touched it for long, whoever has that process id now", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "build.lock");
    await writeFile(path, `${process.pid}\n`);
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(path, longAgo, longAgo);
    expect(await withBuildLock(path, { say }, async () => "done")).toBe("done");
  });

  it("is no longer waited for when the start is given up", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "build.lock");
    await withBuildLock(path, { say }, async () => {
      const second = withBuildLock(path, { say, signal: AbortSignal.abort() }, async () => "done");
      await expect(second).rejects.toMatchObject({ code: "ABORT_ERR" });
    });
  });
});
