// @vitest-environment node
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { describe, expect, it } from "vitest";
import { backoffMs, createWaits } from "../app/uploads/backoff.ts";
import { createSlots } from "../app/uploads/slots.ts";
import { createSpeedMeter, roundedDuration, secondsLeft } from "../app/uploads/speed.ts";
import {
  passesByItself,
  retryAfterMs,
  troubleOf,
  troubleOfAnswer,
  UploadFault,
  verdictOf,
} from "../app/uploads/trouble.ts";

describe("trying again", () => {
  it("waits longer each time, up to half a minute, with some chance in it", () => {
    expect([1, 2, 3, 4].map((failures) => backoffMs(failures, 0, 1))).toEqual([500, 1000, 2000, 4000]);
    expect([1, 2, 3, 4].map((failures) => backoffMs(failures, 0, 0))).toEqual([250, 500, 1000, 2000]);
    expect(backoffMs(50, 0, 1)).toBe(30_000);
  });

  it("comes no sooner than the server asks for", () => {
    expect(backoffMs(1, 7000, 0)).toBeGreaterThanOrEqual(7000);
    expect(backoffMs(10, 7000, 1)).toBe(30_000);
  });

  it("happens at once for everybody who waits, when the network is back", async () => {
    const waits = createWaits();
    const { signal } = new AbortController();
    const both = Promise.all([waits.wait(1e9, signal), waits.wait(1e9, signal)]);
    waits.wake();
    await expect(both).resolves.toEqual([undefined, undefined]);
  });

  it("does not happen any more when it was stopped, before or while it waits", async () => {
    const waits = createWaits();
    const control = new AbortController();
    const waiting = waits.wait(1e9, control.signal);
    control.abort(new Error("stopped"));
    await expect(waiting).rejects.toThrow("stopped");
    await expect(waits.wait(1e9, control.signal)).rejects.toThrow("stopped");
  });
});

describe("what went wrong", () => {
  const answer = (status: number, reason: string, retryAfter: string | null = null) =>
    troubleOfAnswer(
      status,
      JSON.stringify({ reason, message: "…", request_id: "r-1", metadata: { limit: "5" } }),
      retryAfter,
      0,
    );

  it("is read from the server's answer", () => {
    expect(answer(413, "QUOTA_EXCEEDED", "3")).toEqual({
      reason: "QUOTA_EXCEEDED",
      status: 413,
      retryAfterMs: 3000,
      message: "…",
      requestId: "r-1",
      metadata: { limit: "5" },
    });
    expect(troubleOfAnswer(502, "<html>", null, 0).reason).toBe("");
    expect(troubleOfAnswer(401, "", null, 0).reason).toBe("SESSION_INVALID");
  });

  it("reads Retry-After as seconds or as a date", () => {
    expect([retryAfterMs("2", 0), retryAfterMs(null, 0), retryAfterMs("soon", 0)]).toEqual([2000, 0, 0]);
    expect(retryAfterMs("Thu, 01 Jan 1970 00:00:10 GMT", 4000)).toBe(6000);
  });

  it("is read from calls with and without details", () => {
    const info = create(ErrorInfoSchema, { reason: Reason.TRASHED, requestId: "r-2", retryAfter: { seconds: 2n } });
    const known = new ConnectError("In the trash", Code.FailedPrecondition, undefined, [
      { desc: ErrorInfoSchema, value: info },
    ]);
    expect(troubleOf(known)).toMatchObject({ reason: "TRASHED", requestId: "r-2", retryAfterMs: 2000 });
    expect(troubleOf(new ConnectError("failed to fetch", Code.Unavailable))).toMatchObject({
      reason: "NETWORK",
      status: 0,
    });
    expect(troubleOf(new ConnectError("…", Code.Unauthenticated))).toMatchObject({ reason: "SESSION_INVALID" });
  });

  it("is a lost file when the browser cannot read it", () => {
    expect(troubleOf(new DOMException("", "NotReadableError")).reason).toBe("FILE_GONE");
    expect(troubleOf(new DOMException("", "NotFoundError")).reason).toBe("FILE_GONE");
  });

  it("decides what follows", () => {
    const verdict = (status: number, reason: string, ofUpload = false) => verdictOf(answer(status, reason), ofUpload);
    expect(verdictOf(new UploadFault({ reason: "NETWORK" }).trouble, true)).toBe("again");
    expect(verdict(401, "SESSION_INVALID")).toBe("signIn");
    expect(verdict(413, "QUOTA_EXCEEDED")).toBe("never");
    expect(verdict(413, "FILE_TOO_LARGE")).toBe("never");
    expect(verdict(403, "PERMISSION_DENIED")).toBe("never");
    expect(verdict(429, "RATE_LIMITED")).toBe("again");
    expect(verdict(502, "")).toBe("again");
    expect(verdict(460, "CHECKSUM_MISMATCH")).toBe("soon");
    expect(verdict(409, "UPLOAD_OFFSET_CONFLICT")).toBe("soon");
    expect(verdict(400, "INVALID_ARGUMENT")).toBe("never");
  });

  it("takes an upload that is gone for one that has expired, but nothing else", () => {
    expect(verdictOf(answer(404, "NOT_FOUND"), true)).toBe("anew");
    expect(verdictOf(answer(410, "UPLOAD_FAILED"), true)).toBe("anew");
    expect(verdictOf(answer(404, "NOT_FOUND"), false)).toBe("never");
  });

  it("passes by itself for as long as the server or the network is away", () => {
    expect(passesByItself(answer(503, "UNAVAILABLE"))).toBe(true);
    expect(passesByItself(new UploadFault({}).trouble)).toBe(true);
    expect(passesByItself(answer(500, "INTERNAL"))).toBe(false);
    expect(passesByItself(answer(460, "CHECKSUM_MISMATCH"))).toBe(false);
  });
});

describe("places for requests", () => {
  it("are taken in the order of asking, never more than there are", async () => {
    const { signal } = new AbortController();
    const slots = createSlots(2);
    const leave = [await slots.take(signal), await slots.take(signal)];
    const order: number[] = [];
    const third = slots.take(signal).then(() => order.push(3));
    const fourth = slots.take(signal).then(() => order.push(4));
    await Promise.resolve();
    expect(order).toEqual([]);
    leave[0]?.();
    // Leaving twice frees one place only.
    leave[0]?.();
    await third;
    expect(order).toEqual([3]);
    leave[1]?.();
    await fourth;
    expect(order).toEqual([3, 4]);
  });

  it("are not kept for those who were stopped while waiting", async () => {
    const slots = createSlots(1);
    const control = new AbortController();
    const leave = await slots.take(new AbortController().signal);
    const stopped = slots.take(control.signal);
    control.abort(new Error("stopped"));
    await expect(stopped).rejects.toThrow("stopped");
    leave();
    await expect(slots.take(new AbortController().signal)).resolves.toBeTypeOf("function");
  });
});

describe("speed", () => {
  it("is that of the last seconds", () => {
    const meter = createSpeedMeter();
    for (let second = 0; second <= 20; second += 1) meter.add(second * 100, second * 1000);
    for (let second = 21; second <= 40; second += 1) meter.add(2000 + (second - 20) * 500, second * 1000);
    expect(meter.speed(40_000)).toBeCloseTo(500);
  });

  it("is unknown at first, and falls while nothing moves", () => {
    const meter = createSpeedMeter();
    meter.add(0, 0);
    expect(meter.speed(100)).toBe(0);
    meter.add(1000, 1000);
    expect(meter.speed(1000)).toBe(1000);
    expect(meter.speed(4000)).toBe(250);
  });

  it("begins anew when bytes were lost", () => {
    const meter = createSpeedMeter();
    meter.add(0, 0);
    meter.add(5000, 1000);
    meter.add(1000, 2000);
    expect(meter.speed(2000)).toBe(0);
  });

  it("tells how long it takes, in steps that do not flicker", () => {
    expect(secondsLeft(1000, 100)).toBe(10);
    expect(secondsLeft(1000, 0)).toBeUndefined();
    expect(secondsLeft(0, 0)).toBe(0);
    expect(roundedDuration(0.2)).toEqual({ n: 1, unit: "second" });
    expect(roundedDuration(33)).toEqual({ n: 35, unit: "second" });
    expect(roundedDuration(100)).toEqual({ n: 2, unit: "minute" });
    expect(roundedDuration(7000)).toEqual({ n: 2, unit: "hour" });
  });
});
