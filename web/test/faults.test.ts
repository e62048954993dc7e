import { Code, ConnectError } from "@connectrpc/connect";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { SessionService } from "@docket/contracts/gen/docket/user/v1/session_service_pb.ts";
import { describe, expect, it, vi } from "vitest";
import { openPortal, refusal } from "./portal.ts";

describe("faults", () => {
  it("say a reason in the portal's own words, with the request's number", async () => {
    await using portal = await openPortal({
      routes: (router) =>
        router.service(SessionService, {
          getSession: () => {
            throw refusal(Reason.NOT_FOUND, { code: Code.NotFound, requestId: "request-1" });
          },
        }),
    });
    const { faults, sessions } = await portal.run(() => ({ faults: useFaults(), sessions: useClient(SessionService) }));
    const error = await sessions.getSession({}).catch((thrown: unknown) => thrown);
    const { t } = await portal.run(() => useI18n());
    expect(faults.faultOf(error)).toMatchObject({
      reason: Reason.NOT_FOUND,
      message: t("faults.NOT_FOUND"),
      requestId: "request-1",
      retryable: false,
    });
  });

  it("say what the server said where there are no words for the reason", async () => {
    await using portal = await openPortal();
    const { faultOf } = await portal.run(() => useFaults());
    const fault = faultOf(refusal(Reason.SHARD_INVALID));
    expect(fault.message).toBe("SHARD_INVALID in a test");
  });

  it("carry what the reason says beside itself", async () => {
    await using portal = await openPortal();
    const { faultOf } = await portal.run(() => useFaults());
    expect(faultOf(refusal(Reason.LIMIT_REACHED, { metadata: { limit: "50" } })).metadata).toEqual({ limit: "50" });
  });

  it("tell a server that is not there from a browser that is offline", async () => {
    await using portal = await openPortal();
    const { faultOf } = await portal.run(() => useFaults());
    const { t } = await portal.run(() => useI18n());
    const unreached = new ConnectError("Failed to fetch", Code.Unavailable);
    expect(faultOf(unreached)).toMatchObject({ message: t("unreachable"), retryable: true });
    const online = vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
    expect(faultOf(unreached).message).toBe(t("offline"));
    online.mockRestore();
  });

  it("do not blame the server for an error of the page's own", async () => {
    await using portal = await openPortal();
    const { faultOf } = await portal.run(() => useFaults());
    const { t } = await portal.run(() => useI18n());
    expect(faultOf(new RangeError("a bug")).message).toBe(t("unexpected"));
  });

  it("are plain objects, so that they cross from the server's page to the browser", async () => {
    await using portal = await openPortal();
    const { faultOf } = await portal.run(() => useFaults());
    const fault = faultOf(refusal(Reason.INVALID_ARGUMENT));
    expect(structuredClone(fault)).toEqual(fault);
  });

  it("are shown in a corner with a title of the action's", async () => {
    await using portal = await openPortal();
    const { showFault } = await portal.run(() => useFaults());
    showFault(refusal(Reason.CONFLICT, { requestId: "request-2" }), "Not renamed");
    const { toasts } = await portal.run(() => useToast());
    expect(toasts.value.at(-1)).toMatchObject({ title: "Not renamed", color: "error" });
    expect(String(toasts.value.at(-1)?.description)).toContain("request-2");
  });
});
