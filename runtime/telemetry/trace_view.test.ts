import { describe, expect, it } from "@jest/globals";
import { eventually } from "../testing/eventually.ts";
import type { EndedSpan } from "./telemetry.ts";
import { createTraceView } from "./trace_view.ts";

type Told = Partial<EndedSpan> & Pick<EndedSpan, "spanId" | "name">;

function spanOf(told: Told): EndedSpan {
  return {
    service: "document",
    kind: "client",
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
    sampled: true,
    parentSpanId: undefined,
    startMs: 1000,
    durationMs: 1,
    attributes: {},
    events: [],
    links: [],
    failed: false,
    ...told,
  };
}

const rpc = "docket.document.v1.DocumentService/ListDocuments";
const edge = (told: Partial<EndedSpan> = {}) =>
  spanOf({
    spanId: "e",
    name: `POST ${rpc}`,
    service: "gateway",
    kind: "server",
    // The browser's, which nobody here has seen.
    parentSpanId: "b",
    durationMs: 84.31,
    attributes: { "http.response.status_code": 200, "http.route": rpc },
    ...told,
  });

/** In the order in which they end. */
const request = (): EndedSpan[] => [
  ...[11, 12, 13].map((at) =>
    spanOf({ spanId: `s${at}`, name: "SELECT document", parentSpanId: "d", startMs: 1000 + at, durationMs: 0.5 }),
  ),
  spanOf({
    spanId: "f",
    name: "COMMIT",
    parentSpanId: "d",
    startMs: 1015,
    failed: true,
    attributes: { "error.type": "ERR_SQLITE_ERROR" },
  }),
  spanOf({ spanId: "d", name: rpc, kind: "server", parentSpanId: "c", startMs: 1010, durationMs: 17.3 }),
  spanOf({ spanId: "c", name: rpc, service: "gateway", parentSpanId: "e", startMs: 1002, durationMs: 30 }),
  edge(),
];

async function shown(spans: readonly EndedSpan[], filter?: string): Promise<string> {
  let text = "";
  const take = createTraceView({ filter, write: (more) => (text += more) });
  for (const span of spans) take(span);
  // One that is shown in any case, and after the others.
  take(spanOf({ spanId: "z", name: `job sentinel ${filter}`, kind: "consumer", failed: true, durationMs: 99_999 }));
  await eventually(() => text.includes("sentinel"));
  return text.replace(/^.*sentinel.*\n\n?/m, "").trimEnd();
}

describe("a request's path in a terminal", () => {
  it("is a tree with times: from the edge to the statement, what is alike in one line, what failed marked", async () => {
    expect(await shown(request())).toBe(
      [
        "      +0     84.3 ms  gateway  POST DocumentService/ListDocuments  (200, 4bf92f3577b34da6a3ce929d0e0e4736)",
        "     +10     17.3 ms  └ document  DocumentService/ListDocuments  (+12.7 ms on the way)",
        "     +11      1.5 ms    ├ document  SELECT document ×3",
        "     +15      1.0 ms    └ ! document  COMMIT  (ERR_SQLITE_ERROR)",
      ].join("\n"),
    );
  });

  it("is shown of those that say or take what is asked for", async () => {
    expect(await shown(request(), "100ms")).toBe("");
    expect(await shown(request(), "50ms")).toContain("ListDocuments");
    expect(await shown(request(), "select DOCUMENT")).toContain("ListDocuments");
    expect(await shown(request(), "GetDocument")).toBe("");
  });

  it("leaves out jobs that nobody asked for, unless they fail or are wanted", async () => {
    const job = spanOf({ spanId: "j", name: "job tidy_uploads", service: "storage", kind: "consumer" });
    expect(await shown([job])).toBe("");
    expect(await shown([{ ...job, failed: true }])).toContain("job tidy_uploads");
    expect(await shown([{ ...job, links: ["4bf92f3577b34da6a3ce929d0e0e4736"] }])).toContain("job tidy_uploads");
    expect(await shown([job], "job tidy")).toContain("job tidy_uploads");
  });

  it("leaves out files of the portal, and keeps pages whole", async () => {
    const page = (told: Partial<EndedSpan> = {}) =>
      edge({ name: "GET portal", attributes: { "http.route": "portal" }, ...told });
    const file = [spanOf({ spanId: "p", name: "portal", service: "gateway", parentSpanId: "e" }), page()];
    expect(await shown(file)).toBe("");
    const inside = edge({ spanId: "i", parentSpanId: "p", attributes: { "docket.inside": true } });
    const text = await shown([inside, ...file]);
    expect(text.split("\n")).toHaveLength(2);
    expect(text).toMatch(/GET portal[\s\S]*ListDocuments/);
  });
});
