// @vitest-environment node
import { create, toBinary } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { describe, expect, it } from "vitest";
import { Envelopes, enveloped } from "../app/live/envelopes.ts";
import { reasons, refusalOf } from "../app/live/refusals.ts";

const joined = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));

describe("messages of a stream", () => {
  const stream = joined(enveloped('{"cursor":"1"}'), enveloped(""), enveloped('{"name":"Zürich ⚓"}'));
  const texts = ['{"cursor":"1"}', "", '{"name":"Zürich ⚓"}'];

  it("are whole wherever the stream is cut in two", () => {
    for (let cut = 0; cut <= stream.length; cut++) {
      const envelopes = new Envelopes();
      const whole = [...envelopes.push(stream.subarray(0, cut)), ...envelopes.push(stream.subarray(cut))];
      expect(whole.map(({ text }) => text)).toEqual(texts);
    }
  });

  it("are whole when the stream comes byte by byte", () => {
    const envelopes = new Envelopes();
    const whole = [...stream].flatMap((byte) => envelopes.push(Uint8Array.of(byte)));
    expect(whole.map(({ text }) => text)).toEqual(texts);
  });

  it("are not told while they are torn", () => {
    expect(new Envelopes().push(stream.subarray(0, 12))).toEqual([]);
  });

  it("may be large", () => {
    const large = "x".repeat(3_000_000);
    expect(new Envelopes().push(enveloped(large))[0]?.text).toBe(large);
  });

  it.each([
    ["claims to be gigantic", Uint8Array.of(0, 255, 255, 255, 255)],
    ["is compressed, which nobody asked for", Uint8Array.of(1, 0, 0, 0, 0)],
    ["has flags that nobody knows", Uint8Array.of(64, 0, 0, 0, 0)],
    ["is a web page", new TextEncoder().encode("<!doctype html>")],
    ["is no text", Uint8Array.of(0, 0, 0, 0, 2, 0xc3, 0x28)],
  ])("are refused when what comes %s", (_, bytes) => {
    expect(() => new Envelopes().push(bytes)).toThrow();
  });
});

describe("a refusal", () => {
  const errorOf = (
    info: Parameters<typeof create<typeof ErrorInfoSchema>>[1],
    encoding: "std" | "std_raw" = "std_raw",
  ) => {
    const value = base64Encode(toBinary(ErrorInfoSchema, create(ErrorInfoSchema, info)), encoding);
    return { code: "unavailable", message: "…", details: [{ type: "docket.error.v1.ErrorInfo", value }] };
  };

  it("says its reason, whatever else it says", () => {
    const error = errorOf({
      reason: Reason.CURSOR_EXPIRED,
      metadata: { workspace_id: "w" },
      violations: [{ field: "cursor", rule: "old", description: "too old" }],
      requestId: "01a1fe83-7fe5-70c9-825e-cb28a6d46228",
    });
    expect(refusalOf(error)).toEqual({ reason: Reason.CURSOR_EXPIRED, retryAfterMs: 0 });
  });

  it.each(["std", "std_raw"] as const)("says how long to wait (%s)", (encoding) => {
    const error = errorOf({ reason: Reason.RATE_LIMITED, retryAfter: { seconds: 300n, nanos: 5 } }, encoding);
    expect(refusalOf(error)).toEqual({ reason: Reason.RATE_LIMITED, retryAfterMs: 300_000 });
  });

  it.each([
    undefined,
    null,
    "503",
    { code: "internal" },
    { details: [{ type: "another.Detail", value: "CAM" }] },
    { details: [{ type: "docket.error.v1.ErrorInfo", value: "not base64 !" }] },
    { details: [{ type: "docket.error.v1.ErrorInfo", value: "/////w" }] },
    { details: [{ type: "docket.error.v1.ErrorInfo", value: "" }] },
    { details: 7 },
  ])("is without a reason when it is not Docket's: %j", (error) => {
    expect(refusalOf(error).reason).toBe(0);
  });

  it("is told by the numbers of the contract", () => {
    expect(reasons).toEqual({
      sessionRequired: Reason.SESSION_REQUIRED,
      sessionInvalid: Reason.SESSION_INVALID,
      resume: Reason.RESUME,
      limitReached: Reason.LIMIT_REACHED,
      accountDisabled: Reason.ACCOUNT_DISABLED,
      cursorInvalid: Reason.CURSOR_INVALID,
      cursorExpired: Reason.CURSOR_EXPIRED,
    });
  });
});
