import { describe, expect, it } from "@jest/globals";
import { readRole } from "./role.ts";
import { runScript } from "./testing/child.ts";

const url = JSON.stringify(new URL("./role.ts", import.meta.url).href);

function run(args: readonly string[]) {
  return runScript(`
    import { runService } from ${url};
    await runService("harbour", async (role) => {
      console.log("runs as " + role);
      return { async [Symbol.asyncDispose]() {} };
    }, { args: ${JSON.stringify(args)} });
  `);
}

describe("the role of a process", () => {
  it("is everything unless the command line says otherwise", () => {
    expect(readRole([])).toBe("all");
    expect(readRole(["--role", "server"])).toBe("server");
    expect(readRole(["--role=worker"])).toBe("worker");
  });

  it.each([
    [["--roll", "worker"], "--roll is not an argument of this service; --help tells which are."],
    [["worker"], "worker is not an argument of this service; --help tells which are."],
    [["--role", "boss"], "--role must be one of all, server, worker."],
    [["--role"], "--role must be one of all, server, worker."],
  ])("%j is refused in one sentence, with exit code 1", async (args, sentence) => {
    await using child = await run(args);
    expect(await child.ended()).toBe(1);
    expect(child.output).toEqual({ stdout: "", stderr: `${sentence}\n` });
  });

  it("reaches the service, which ends with the signal", async () => {
    await using child = await run(["--role", "worker"]);
    await child.printed("runs as worker");
    child.process.kill("SIGTERM");
    expect(await child.ended()).toBe(0);
  });

  it("is explained by --help, and nothing starts", async () => {
    await using child = await run(["--help"]);
    expect(await child.ended()).toBe(0);
    expect(child.output.stdout).toContain("--role worker");
    expect(child.output.stdout).not.toContain("runs as");
  });
});
