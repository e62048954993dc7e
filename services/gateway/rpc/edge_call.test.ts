import { describe, expect, it } from "@jest/globals";
import type { Admission } from "../guard/gate.ts";
import type { Exchange } from "../http/exchange.ts";
import { meshHeaders } from "./edge_call.ts";

const nobody = { subject: undefined } as unknown as Admission;

function headersFor(sent: Record<string, string>): Headers {
  const exchange = { requestId: "request-1", clientAddress: "203.0.113.7", request: { headers: sent } };
  return meshHeaders(exchange as unknown as Exchange, nobody);
}

describe("the headers that go on into the mesh", () => {
  it("take the ids of whoever asks, and not their word that they are to be recorded", () => {
    const ids = `00-${"a".repeat(32)}-${"b".repeat(16)}`;
    expect(headersFor({ traceparent: `${ids}-01` }).get("traceparent")).toBe(`${ids}-00`);
    expect(headersFor({ traceparent: `${ids}-01-more` }).get("traceparent")).toBeNull();
    expect(headersFor({}).get("traceparent")).toBeNull();
  });
});
