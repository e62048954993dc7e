import { describe, expect, it } from "@jest/globals";
import { Secret } from "./config.ts";
import { createLogger, type LoggerOptions } from "./logger.ts";

function capture(options: LoggerOptions = {}) {
  const written: string[] = [];
  const logger = createLogger({ ...options, destination: { write: (line) => void written.push(line) } });
  return { logger, written, lines: () => written.map((line) => JSON.parse(line)) };
}

describe("createLogger", () => {
  it("writes one JSON object per event, with service, level, time and the fields of its parents", () => {
    const { logger, lines } = capture({ service: "user" });
    logger.child({ request_id: "r1" }).info({ rows: 3 }, "listed");
    expect(lines()).toEqual([
      {
        level: "info",
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        service: "user",
        request_id: "r1",
        rows: 3,
        msg: "listed",
      },
    ]);
  });

  it("writes nothing below its level", () => {
    const { logger, written } = capture({ level: "warn" });
    logger.info("no");
    logger.warn("yes");
    expect(written).toHaveLength(1);
  });

  it("blots out credentials by the names of fields, at any depth", () => {
    const { logger, written, lines } = capture();
    logger.info({
      authorization: "hunter2",
      headers: new Headers({ cookie: "a=hunter2", "set-cookie": "hunter2", accept: "text/html" }),
      request: {
        body: { users: [{ newPassword: "hunter2", name: "Ada" }] },
        refresh_token: "hunter2",
        apiKey: "hunter2",
      },
      token_id: "t1",
    });
    logger.child({ session: { token: "hunter2" } }).info({ wrapped: new Secret("hunter2") }, "child");
    expect(written.join("")).not.toContain("hunter2");
    expect(lines()[0]).toMatchObject({ headers: { accept: "text/html" }, token_id: "t1" });
    expect(lines()[0].request.body.users[0].name).toBe("Ada");
  });

  it("blots out tokens and passwords of URLs by their shape, in texts and errors", () => {
    const { logger, written } = capture();
    logger.warn("got Bearer abcdefgh.hunter2 from mysql://docket:hunter2@db/docket");
    logger.error({
      err: new Error("eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJodW50ZXIyIn0.c2ln", {
        cause: new Error("redis://:hunter2@cache"),
      }),
    });
    expect(written.join("")).not.toMatch(/hunter2|eyJ/);
    expect(written.join("")).toContain("mysql://docket:[redacted]@db/docket");
    expect(written.every((line) => JSON.parse(line))).toBe(true);
  });

  it("blots out API keys and signatures of URLs by their shape", () => {
    const { logger, written } = capture();
    const key = `dk_${"0123456789abcdef".repeat(2)}_hunter2-and_more`;
    logger.warn({ key, keys: [key] }, `shown ${key}.`);
    const signed = "https://contents.s3.eu-central-1.amazonaws.com/a?X-Amz-Date=1&X-Amz-Credential=hunter2%2Fs3";
    logger.error({ err: new Error(`GET ${signed}&X-Amz-Security-Token=hunter2&X-Amz-Signature=hunter2 failed`) });
    expect(written.join("")).not.toContain("hunter2");
    expect(written.join("")).toContain("X-Amz-Date=1&X-Amz-Credential=[redacted]&X-Amz-Security-Token=[redacted]&");
    expect(written.every((line) => JSON.parse(line))).toBe(true);
  });

  it("names the command that Redis refused, and not what it was to write", () => {
    const { logger, written, lines } = capture();
    const refused = new Error("OOM command not allowed when used memory > 'maxmemory'.");
    logger.warn({ err: Object.assign(refused, { command: { name: "set", args: ["session", "hunter2"] } }) }, "refused");
    expect(lines()[0].err).toMatchObject({ command: "set", message: refused.message });
    expect(written.join("")).not.toContain("hunter2");
  });

  it("tells an error's type, code, stack and cause, and survives circles", () => {
    const { logger, lines } = capture();
    const cause: Record<string, unknown> = { a: 1 };
    cause.self = cause;
    logger.error(
      { err: Object.assign(new TypeError("broken", { cause }), { code: "ENOENT", config: { password: "x" } }) },
      "failed",
    );
    expect(lines()[0].err).toMatchObject({
      type: "TypeError",
      message: "broken",
      code: "ENOENT",
      config: { password: "[redacted]" },
    });
    expect(lines()[0].err.stack).toContain("logger.test.ts");
  });
});
