import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { readSettings } from "../config.ts";
import { createLogger } from "../logger.ts";
import { telemetrySettings } from "./settings.ts";
import { activeSpan, detached, iterateWithin, traced, within } from "./span.ts";
import { withoutValues, wordsOf } from "./statements.ts";
import { type EndedSpan, openTelemetry, type Tracing } from "./telemetry.ts";
import { formatTraceparent, parseTraceparent } from "./traceparent.ts";

async function recording(): Promise<{ tracing: Tracing; ended: EndedSpan[] }> {
  const ended: EndedSpan[] = [];
  const options = {
    service: "document",
    logger: createLogger({ level: "silent" }),
    spanEnded: (span: EndedSpan) => ended.push(span),
  };
  const telemetry = await openTelemetry(readSettings(telemetrySettings, {}), options);
  return { tracing: telemetry?.tracing as Tracing, ended };
}

describe("the span under way", () => {
  it("is the parent of what is done within it, over awaits and in iterations", async () => {
    const { tracing, ended } = await recording();
    const root = tracing.start("root", "server");
    await within(root, async () => {
      await turn();
      await traced("first", "client", {}, async () => {
        await turn();
        await traced("second", "client", {}, async () => undefined);
      });
    });
    const source = (async function* () {
      for (const item of [1, 2]) yield await traced(`item ${item}`, "client", {}, async () => item);
    })();
    for await (const _ of iterateWithin(root, source)) expect(activeSpan()).toBeUndefined();
    root.end();
    const parents = Object.fromEntries(ended.map(({ name, parentSpanId }) => [name, parentSpanId]));
    const first = ended.find(({ name }) => name === "first");
    expect(parents).toEqual({
      root: undefined,
      first: root.spanId,
      second: first?.spanId,
      "item 1": root.spanId,
      "item 2": root.spanId,
    });
    expect(new Set(ended.map(({ traceId }) => traceId)).size).toBe(1);
  });

  it("is none for work that outlives the request", async () => {
    const { tracing } = await recording();
    within(tracing.start("root", "server"), () => {
      expect(activeSpan()).toBeDefined();
      detached(() => expect(activeSpan()).toBeUndefined());
    });
  });

  it("says that something went wrong by its name, and never by its message", async () => {
    const { tracing, ended } = await recording();
    const fault = Object.assign(new Error("Quay 4 at dawn"), { code: "ECONNRESET" });
    const root = tracing.start("root", "server");
    await expect(within(root, () => traced("x", "client", {}, () => Promise.reject(fault)))).rejects.toBe(fault);
    expect(ended[0]).toMatchObject({ failed: true, attributes: { "error.type": "ECONNRESET" } });
    expect(JSON.stringify(ended)).not.toContain("Quay");
  });

  it("has so many spans beneath it, events and links, and not more", async () => {
    const { tracing, ended } = await recording();
    const root = tracing.start("root", "server");
    for (let count = 0; count < 600; count += 1) {
      root.child("x", "client")?.end();
      root.event("y");
      root.link({ traceId: "a".repeat(32), spanId: "b".repeat(16), sampled: true });
    }
    root.end();
    expect(ended).toHaveLength(513);
    const last = ended.at(-1);
    expect([last?.events.length, last?.links.length]).toEqual([64, 16]);
    expect(last?.attributes).toMatchObject({
      "docket.spans.dropped": 88,
      "docket.events.dropped": 536,
      "docket.links.dropped": 584,
    });
  });
});

describe("traceparent", () => {
  const place = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7", sampled: true };

  it("is read as it is written", () => {
    expect(parseTraceparent(formatTraceparent(place))).toEqual(place);
    expect(parseTraceparent(formatTraceparent({ ...place, sampled: false }))).toEqual({ ...place, sampled: false });
    expect(parseTraceparent(`01-${place.traceId}-${place.spanId}-03-more`)).toEqual(place);
  });

  it.each([
    undefined,
    null,
    "",
    `00-${place.traceId}-${place.spanId}`,
    `00-${place.traceId}-${place.spanId}-01-more`,
    `ff-${place.traceId}-${place.spanId}-01`,
    `00-${"0".repeat(32)}-${place.spanId}-01`,
    `00-${place.traceId}-${"0".repeat(16)}-01`,
    `00-${place.traceId.toUpperCase()}-${place.spanId}-01`,
  ])("says nothing when it is %j", (header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });
});

describe("what is told of a statement", () => {
  it("is its text with placeholders, whatever stood in it", () => {
    expect(
      withoutValues(`select * from "t" where a = 'Quay 4 ''at'' dawn' and b = -12.5 and c in (?, ?, ?) limit 10`),
    ).toBe('select * from "t" where a = ? and b = ? and c in (?, …) limit ?');
    expect(withoutValues("insert into `t1` (`a`, `b`) values (?, ?), (?, ?), (?, ?)")).toBe(
      "insert into `t1` (`a`, `b`) values (?, …), …",
    );
    expect(withoutValues("select 0xdeadbeef, sha256 from t2")).toBe("select ?, sha256 from t2");
  });

  it.each([
    ['select "x" from "document" where a = ?', "SELECT document"],
    ["insert into `job` (`id`) values (?)", "INSERT job"],
    ["update change_sequence set n = n + ?", "UPDATE change_sequence"],
    ['delete from "grant" where a = ?', "DELETE grant"],
    ["begin immediate", "BEGIN"],
    ["with recursive up as (select 1 from group_member) select * from up", "WITH group_member"],
  ])("names what %s does", (sql, summary) => {
    expect(wordsOf(sql).summary).toBe(summary);
  });
});
