import { describe, expect, it } from "@jest/globals";
import { nodeVersionFault } from "./node_version.mjs";
import { type ChildScript, runScript } from "./testing/child.ts";

const url = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);

/** A process whose start and stop are the given bodies. */
function run(start: string, stop = "", options = "{}"): Promise<ChildScript> {
  return runScript(`
    import { runProcess } from ${url("./lifecycle.ts")};
    import { ConfigError } from ${url("./config.ts")};
    import { StartError } from ${url("./errors.ts")};
    await runProcess(async (signal) => {
      ${start}
      console.log("started");
      return { async [Symbol.asyncDispose]() { console.log("stopping"); ${stop} console.log("stopped"); } };
    }, ${options});
  `);
}

describe("runProcess", () => {
  it.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "stops once and in order on %s, and exits with 0",
    async (signal) => {
      await using child = await run("");
      await child.printed("started");
      child.process.kill(signal);
      expect(await child.ended()).toBe(0);
      expect(child.output.stdout).toBe("started\nstopping\nstopped\n");
      expect(child.output.stderr).toBe("");
    },
  );

  it("takes the echo of a signal, as npm sends it, for the same signal", async () => {
    await using child = await run("", "await new Promise((resolve) => setTimeout(resolve, 50));");
    await child.printed("started");
    child.process.kill("SIGINT");
    await child.printed("stopping");
    child.process.kill("SIGINT");
    expect(await child.ended()).toBe(0);
    expect(child.output.stdout).toContain("stopped");
  });

  it("exits at once with a second signal", async () => {
    await using child = await run("", "await new Promise(() => setInterval(() => {}, 1000));");
    await child.printed("started");
    child.process.kill("SIGTERM");
    await child.printed("stopping");
    const again = setInterval(() => child.process.kill("SIGTERM"), 50);
    try {
      expect(await child.ended()).toBe(143);
    } finally {
      clearInterval(again);
    }
  });

  it("does not wait longer than its bound", async () => {
    await using child = await run("", "await new Promise(() => setInterval(() => {}, 1000));", "{ stopTimeoutMs: 20 }");
    await child.printed("started");
    child.process.kill("SIGTERM");
    expect(await child.ended()).toBe(1);
    expect(child.output.stderr).toContain("stopping took too long");
  });

  it("stops after a start that was interrupted", async () => {
    await using child = await run(
      `console.log("starting"); setInterval(() => {}, 1000); await new Promise((resolve) => signal.addEventListener("abort", resolve));`,
    );
    await child.printed("starting");
    child.process.kill("SIGTERM");
    expect(await child.ended()).toBe(0);
    expect(child.output.stdout).toContain("stopped");
  });

  it.each([
    `throw new ConfigError("PORT", "PORT must be a whole number.");`,
    `throw new StartError("PORT must be a whole number.", { cause: new Error("beneath") });`,
  ])("says what the operator can mend in one sentence, without a stack: %s", async (start) => {
    await using child = await run(start);
    expect(await child.ended()).toBe(1);
    expect(child.output.stderr).toBe("PORT must be a whole number.\n");
  });

  it.each([
    ["a start that fails by a defect", `throw new TypeError("broken");`, "start failed"],
    [
      "an unhandled rejection",
      `setTimeout(() => void Promise.reject(new TypeError("broken")), 1);`,
      "unhandledRejection",
    ],
    ["an uncaught exception", `setTimeout(() => { throw new TypeError("broken"); }, 1);`, "uncaughtException"],
  ])("logs %s with its stack and exits with 1", async (_name, start, text) => {
    await using child = await run(start);
    expect(await child.ended()).toBe(1);
    const line = JSON.parse(child.output.stderr);
    expect(line).toMatchObject({ level: "fatal", err: { type: "TypeError", message: "broken" } });
    expect(child.output.stderr).toContain(text);
  });
});

describe("nodeVersionFault", () => {
  it("is silent for the versions that will do", () => {
    for (const version of ["v24.18.1", "v24.21.0", "v25.0.0", "v26.1.0"])
      expect(nodeVersionFault(version)).toBeUndefined();
  });

  it("says in one sentence what is needed and how to get it", () => {
    for (const version of ["v18.20.4", "v20.19.0", "v24.18.0", "v24.9.9", "v8.0.0"]) {
      expect(nodeVersionFault(version)).toMatch(
        /^Docket needs Node 24\.18\.1 or newer and was started with \S+: .*install.*\.$/,
      );
    }
  });
});
