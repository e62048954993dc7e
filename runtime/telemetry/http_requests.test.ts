import { describe, expect, it } from "@jest/globals";
import { HttpRequests, type IncomingRequest } from "./http_requests.ts";
import { openRecorder } from "./testing/recorder.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";
const header = (sampled: boolean) => `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
const asked = (more: Partial<IncomingRequest> = {}): IncomingRequest => ({
  method: "POST",
  traceparent: undefined,
  requestId: "r1",
  trusted: false,
  ...more,
});
const answered = {
  route: "docket.document.v1.DocumentService/GetDocument",
  status: 200,
  reason: undefined,
  complete: true,
};

const open = (env: Record<string, string> = {}) => openRecorder("gateway", env);

describe("a request from outside", () => {
  it("goes on in the trace that it names, or begins one", async () => {
    await using world = await open();
    const requests = new HttpRequests(world.telemetry);
    requests.begin(asked({ traceparent: header(false) })).ended(answered);
    requests.begin(asked()).ended(answered);
    expect(world.ended.map((span) => [span.traceId === traceId, span.parentSpanId])).toEqual([
      [true, spanId],
      [false, undefined],
    ]);
    expect(world.ended[0]).toMatchObject({
      name: "POST docket.document.v1.DocumentService/GetDocument",
      kind: "server",
      attributes: { "http.request.method": "POST", "http.response.status_code": 200, "docket.request_id": "r1" },
    });
  });

  it("cannot have itself recorded: that is for the edge to decide, or for a proxy where the settings say so", async () => {
    await using own = await open({ OTEL_TRACES_SAMPLER: "always_off" });
    const requests = new HttpRequests(own.telemetry);
    const begun = requests.begin(asked({ traceparent: header(true), trusted: true }));
    // Not recorded, and yet of this trace in the log and in what is called.
    expect(begun.span).toMatchObject({ traceId, sampled: false });
    begun.ended(answered);
    expect(own.ended).toEqual([]);

    await using following = await open({ OTEL_TRACES_SAMPLER: "parentbased_always_off" });
    const behind = new HttpRequests(following.telemetry);
    behind.begin(asked({ traceparent: header(true) })).ended(answered);
    expect(following.ended).toEqual([]);
    behind.begin(asked({ traceparent: header(true), trusted: true })).ended(answered);
    expect(following.ended).toHaveLength(1);
  });

  it("is done as was decided where it comes from inside the mesh", async () => {
    await using world = await open({ OTEL_TRACES_SAMPLER: "always_off" });
    const requests = new HttpRequests(world.telemetry, true);
    requests.begin(asked({ traceparent: header(true) })).ended(answered);
    requests.begin(asked({ traceparent: header(false) })).ended(answered);
    requests.begin(asked()).ended(answered);
    expect(world.ended.map(({ parentSpanId }) => parentSpanId)).toEqual([spanId]);
  });

  it("is counted by method, route, status and reason, whatever it calls its method", async () => {
    await using world = await open();
    const requests = new HttpRequests(world.telemetry);
    const failed = { route: "download", status: 503, reason: "UNAVAILABLE", complete: false };
    requests.begin(asked({ method: "GET" })).ended(failed);
    requests.begin(asked({ method: "BREW" })).ended(answered);
    const text = (await world.lines("http_server_request_duration_seconds_count")).join("\n");
    expect(text).toContain(
      'http_server_request_duration_seconds_count{http_request_method="GET",http_route="download",http_response_status_code="503",docket_reason="UNAVAILABLE"} 1',
    );
    expect(text).toContain('http_request_method="_OTHER"');
    expect(text).not.toContain("BREW");
    expect(world.ended[0]).toMatchObject({
      failed: true,
      attributes: { "docket.reason": "UNAVAILABLE", "docket.cut_short": true, "error.type": "503" },
    });
  });
});
