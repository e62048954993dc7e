import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openPortal, refusal } from "./portal.ts";

const refused = (info: { reason: Reason; [key: string]: unknown }) =>
  new ConnectError("refused", undefined, undefined, [{ desc: ErrorInfoSchema, value: info }]);

describe("sending a form", () => {
  afterEach(() => void vi.useRealTimers());

  it("says that it went well, and is busy until then", async () => {
    await using portal = await openPortal();
    let finish = () => {};
    const form = await portal.run(() => useSubmission(() => new Promise<void>((done) => (finish = done))));
    const sent = form.submit();
    expect(form.busy.value).toBe(true);
    expect(await form.submit()).toBe(false);
    finish();
    expect(await sent).toBe(true);
    expect(form.busy.value).toBe(false);
    expect(form.fault.value).toBeUndefined();
  });

  it("tells refusals beside the field that they are about", async () => {
    await using portal = await openPortal();
    let error: unknown = refusal(Reason.CREDENTIALS_INVALID);
    const form = await portal.run(() =>
      useSubmission(
        async () => {
          throw error;
        },
        { fields: { [Reason.CREDENTIALS_INVALID]: "password", [Reason.PASSWORD_WEAK]: "password" } },
      ),
    );
    expect(await form.submit()).toBe(false);
    expect(form.errors.value).toEqual({ password: "Address and password do not belong together." });
    expect(form.fault.value).toBeUndefined();
    expect(form.reason.value).toBe("CREDENTIALS_INVALID");
    error = refusal(Reason.PASSWORD_WEAK, { metadata: { rule: "personal" } });
    await form.submit();
    expect(form.errors.value.password).toContain("too close to your name");
  });

  it("reads which fields are wrong, in its own words where it has some", async () => {
    await using portal = await openPortal();
    const violations = [
      { field: "profile.display_name", rule: "string.max_len", description: "too long" },
      { field: "quay", rule: "string.min_len", description: "too short" },
    ];
    const form = await portal.run(() =>
      useSubmission(async () => {
        throw refused({ reason: Reason.INVALID_ARGUMENT, violations });
      }),
    );
    await form.submit();
    expect(form.errors.value.quay).toBe("too short");
    expect(form.errors.value.display_name).toContain("1 to 255");
  });

  it("leaves what is about no field to be told above the button", async () => {
    await using portal = await openPortal();
    const form = await portal.run(() =>
      useSubmission(async () => {
        throw refusal(Reason.SIGN_UP_CLOSED);
      }),
    );
    await form.submit();
    expect(form.fault.value?.message).toContain("by invitation");
    form.clear();
    expect(form.fault.value).toBeUndefined();
  });

  it("waits as long as the server asks for", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    await using portal = await openPortal();
    let tries = 0;
    const form = await portal.run(() =>
      useSubmission(async () => {
        tries += 1;
        throw refused({ reason: Reason.ATTEMPTS_SLOWED, retryAfter: durationFromMs(2500) });
      }),
    );
    await form.submit();
    expect(form.waiting.value).toBe(3);
    await form.submit();
    expect(tries).toBe(1);
    vi.advanceTimersByTime(3000);
    expect(form.waiting.value).toBe(0);
    expect(form.fault.value).toBeUndefined();
    await form.submit();
    expect(tries).toBe(2);
  });
});
