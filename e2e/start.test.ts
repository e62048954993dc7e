// What an operator may get wrong at a start, and the one sentence that says so.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { startWhole } from "./kill.ts";

/** Starts Docket and waits for it to give up; what it said on standard error. */
async function refusal(settings: Record<string, string>, parameters = ["--no-portal"]): Promise<string> {
  const main = fileURLToPath(new URL("start.js", import.meta.url));
  const child = spawn(process.execPath, [main, ...parameters], {
    env: { ...process.env, PORT: "0", LOG_LEVEL: "error", ...settings },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr?.on("data", (chunk) => {
    said += chunk;
  });
  const [code] = await once(child, "exit");
  expect(code).toBe(1);
  return said;
}

const oneSentence = /^[^\n]+\n$/;

describe("a start that cannot be", () => {
  it.each([
    ["PORT", "abc"],
    ["PUBLIC_URL", "docket"],
    ["SIGN_UP", "perhaps"],
    ["TRUSTED_PROXIES", "everybody"],
    ["DATABASE_URL", "oracle://x"],
    ["DATABASE_URL", "mysql://docket:secret@127.0.0.1/docket"],
    ["REDIS_URL", "http://127.0.0.1"],
    ["REDIS_URL", "redis://cache.example.com"],
  ])("names the setting %s", async (variable, value) => {
    await using folder = await temporaryFolder();
    const said = await refusal({ DOCKET_DATA_DIR: folder.path, [variable]: value });
    expect(said).toMatch(oneSentence);
    expect(said).toContain(variable);
    expect(await readdir(folder.path)).toEqual([]);
  });

  it("names an argument that it does not know, and those that it knows", async () => {
    await using folder = await temporaryFolder();
    const said = await refusal({ DOCKET_DATA_DIR: folder.path }, ["--portal"]);
    expect(said).toMatch(oneSentence);
    expect(said).toContain('"--portal"');
    expect(said).toContain("--no-portal");
    expect(await readdir(folder.path)).toEqual([]);
  });

  it("is told before the portal is built", async () => {
    await using folder = await temporaryFolder();
    const said = await refusal({ DOCKET_DATA_DIR: folder.path, PORT: "abc" }, []);
    expect(said).toMatch(oneSentence);
    expect(said).toContain("PORT");
  });

  it("says that the port is taken", async () => {
    await using folder = await temporaryFolder();
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as { port: number };
    const said = await refusal({ DOCKET_DATA_DIR: folder.path, PORT: String(port) });
    taken.close();
    expect(said).toMatch(oneSentence);
    expect(said).toContain(`127.0.0.1:${port}`);
  });

  it("says that the folder is a file", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "data");
    await writeFile(file, "");
    expect(await refusal({ DOCKET_DATA_DIR: file })).toMatch(oneSentence);
  });

  it("says that another Docket uses the folder, that a database is damaged, and that one is gone", async () => {
    await using folder = await temporaryFolder();
    const running = await startWhole(folder.path);
    const second = await refusal({ DOCKET_DATA_DIR: folder.path });
    await running.end("SIGINT");
    expect(second).toMatch(oneSentence);
    expect(second).toContain(folder.path);

    await truncate(join(folder.path, "user.db"), 0);
    await appendFile(join(folder.path, "user.db"), "this was a database");
    const damaged = await refusal({ DOCKET_DATA_DIR: folder.path });
    expect(damaged).toMatch(oneSentence);
    expect(damaged).toContain("user.db");

    await rm(join(folder.path, "user.db"));
    const gone = await refusal({ DOCKET_DATA_DIR: folder.path });
    expect(gone).toMatch(oneSentence);
    expect(gone).toContain("user.db");
  });
});
