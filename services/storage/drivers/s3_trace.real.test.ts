// What a trace tells of a real S3 server: which command, and neither bucket nor key.

import { randomUUID } from "node:crypto";
import { startS3 } from "@docket/runtime/testing/servers/s3";
import { within } from "@docket/runtime/telemetry/span";
import { openRecorder } from "@docket/runtime/telemetry/testing/recorder";
import { describe, expect, it } from "@jest/globals";
import { openS3 } from "./s3.ts";

describe("a trace that goes to S3", () => {
  it("names the command of each question", async () => {
    await using server = await startS3();
    await using recorder = await openRecorder("storage");
    await using driver = await openS3(server.place(), { credentials: server.credentials });
    const id = randomUUID();
    const span = recorder.begin("request");
    await within(span, async () => {
      const writer = await driver.create(id);
      await writer.write([Buffer.from("The crane is ready")]);
      await writer.seal();
      await using reader = await driver.open(id);
      await reader.read(Buffer.alloc(18), 0);
      await driver.remove(id);
    });
    span.end();
    const told = recorder.ended.filter(({ traceId }) => traceId === span.traceId).map(({ name }) => name);
    expect(told).toEqual(["S3 PutObject", "S3 GetObject", "S3 DeleteObject", "request"]);
    expect(JSON.stringify(recorder.ended)).not.toMatch(new RegExp(`${id}|crane`));
  });
});
