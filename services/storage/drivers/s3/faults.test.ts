import { describe, expect, it } from "@jest/globals";
import { isBeyondEnd, isTaken, nameOf, translated } from "./faults.ts";

const answer = (name: string, httpStatusCode: number) =>
  Object.assign(new Error(name), { name, $metadata: { httpStatusCode } });
const system = (code: string) => Object.assign(new Error(code), { code });

describe("what S3 or the network says", () => {
  it.each([
    [answer("NoSuchKey", 404), "PIECE_MISSING"],
    [answer("NotFound", 404), "PIECE_MISSING"],
    [answer("QuotaExceeded", 403), "STORE_FULL"],
    [answer("XMinioStorageFull", 507), "STORE_FULL"],
    [answer("Unknown", 507), "STORE_FULL"],
    [answer("NoSuchBucket", 404), "STORE_UNAVAILABLE"],
    [answer("SlowDown", 503), "STORE_UNAVAILABLE"],
    [answer("AccessDenied", 403), "STORE_UNAVAILABLE"],
    [answer("BadDigest", 400), "STORE_UNAVAILABLE"],
    [system("ECONNREFUSED"), "STORE_UNAVAILABLE"],
    [Object.assign(new Error("late"), { name: "TimeoutError" }), "STORE_UNAVAILABLE"],
    [Object.assign(new Error("late"), { name: "AbortError" }), "STORE_UNAVAILABLE"],
  ])("means what the driver promises: %s", (fault, code) => {
    expect(translated(fault)).toMatchObject({ code, cause: fault });
    expect(translated(translated(fault))).toMatchObject({ code, cause: fault });
  });

  it("tells a key that is taken and a range that begins too late from other refusals", () => {
    const [taken, completed, beyond] = [
      answer("PreconditionFailed", 412),
      answer("NoSuchUpload", 404),
      answer("InvalidRange", 416),
    ].map(translated);
    expect([taken, completed, beyond].map(isTaken)).toEqual([true, true, false]);
    expect([taken, completed, beyond].map(isBeyondEnd)).toEqual([false, false, true]);
  });

  it("is named for operators by its name, or by the system's", () => {
    expect([answer("SlowDown", 503), system("ECONNREFUSED"), undefined].map(nameOf)).toEqual([
      "SlowDown",
      "ECONNREFUSED",
      "Error",
    ]);
  });
});
