// @vitest-environment node
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { LiveNews } from "../app/live/connection.ts";
import { Hub } from "../app/live/hub.ts";
import { type LiveEdge, liveEdge } from "./live_edge.ts";

let edge: LiveEdge;
let hub: Hub;

beforeEach(() => {
  vi.useFakeTimers();
  edge = liveEdge();
  hub = new Hub("anna", (input, init) => edge.fetch(input, init));
});

afterEach(() => {
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** A tab whose page was asked for `ago` milliseconds ago, and has this place in the log. */
function tabOf(cursor = "", ago = 0) {
  const told: string[] = [];
  const port = {
    postMessage: (news: LiveNews) => {
      told.push(news.type === "state" ? news.state : news.type === "changes" ? news.cursor : news.type);
    },
  };
  const since = Date.now() - ago;
  hub.hear(port, { type: "attach", since, cursor, placedAt: since });
  return { told, leave: () => hub.hear(port, { type: "detach" }) };
}

describe("the tabs of a browser", () => {
  it("share one stream, which tells all of them", async () => {
    const tabs = Array.from({ length: 10 }, () => tabOf("1"));
    await pass(0);
    expect(edge.streams).toHaveLength(1);
    expect(edge.streams[0]?.cursor).toBe("1");
    edge.streams[0]?.say("2", "change");
    await pass(0);
    for (const { told } of tabs) expect(told.filter((one) => one === "2")).toEqual(["2"]);
  });

  it("learn how things stand when they come later", async () => {
    tabOf("1");
    await pass(0);
    edge.streams[0]?.say("1");
    await pass(5000);
    expect(tabOf("1").told).toEqual(["live"]);
  });

  it("are told what came between the making of their page and their attaching", async () => {
    tabOf("1");
    await pass(0);
    edge.streams[0]?.say("2", "long before");
    await pass(10_000);
    edge.streams[0]?.say("3", "while the page was on its way");
    await pass(500);
    expect(tabOf("2", 1000).told).toEqual(["3", "live"]);
  });

  it("ask anew where they are older than all that is known here", async () => {
    tabOf("5");
    await pass(0);
    edge.streams[0]?.say("5");
    await pass(0);
    expect(tabOf("1", 60_000).told).toEqual(["live", "reload"]);
  });

  it("ask anew once it is live, where they have no place and nobody else has", async () => {
    const { told } = tabOf();
    await pass(100);
    expect(told).toEqual(["connecting"]);
    edge.streams[0]?.say("1");
    await pass(0);
    expect(told).toEqual(["connecting", "live", "reload"]);
  });

  it("ask anew where more has happened than is kept", async () => {
    tabOf("1");
    await pass(0);
    for (let n = 0; n < 600; n++) edge.streams[0]?.say(String(n), "change");
    await pass(1000);
    const { told } = tabOf("1", 1000);
    expect(told).toEqual(["live", "reload"]);
  });

  it("are all told to ask anew when the place is lost", async () => {
    const tabs = [tabOf("old"), tabOf("old")];
    await pass(0);
    edge.streams[0]?.refuse(Reason.CURSOR_EXPIRED);
    await pass(1000);
    edge.streams[1]?.say("new");
    await pass(0);
    for (const { told } of tabs) expect(told.filter((one) => one === "reload")).toEqual(["reload"]);
  });

  it("let go of the stream when all have left, and go on from its place when one comes back", async () => {
    const tab = tabOf("1");
    await pass(0);
    edge.streams[0]?.say("2", "change");
    await pass(0);
    tab.leave();
    await pass(5000);
    expect(edge.streams[0]?.aborted).toBe(false);
    await pass(6000);
    expect(edge.streams[0]?.aborted).toBe(true);
    const { told } = tabOf("2");
    await pass(0);
    expect(edge.streams[1]?.cursor).toBe("2");
    edge.streams[1]?.say("3", "meanwhile");
    await pass(0);
    expect(told).toContain("3");
    expect(told).not.toContain("reload");
  });

  it("keep the stream when one leaves and another comes at once, as when a page is loaded anew", async () => {
    const tab = tabOf("1");
    await pass(0);
    edge.streams[0]?.say("1");
    tab.leave();
    await pass(2000);
    tabOf("1");
    await pass(30_000);
    expect(edge.streams).toHaveLength(1);
    expect(edge.streams[0]?.aborted).toBe(false);
  });

  it("that have left are told nothing", async () => {
    tabOf("1");
    const tab = tabOf("1");
    tab.leave();
    tab.told.length = 0;
    await pass(0);
    edge.streams[0]?.say("2", "change");
    await pass(0);
    expect(tab.told).toEqual([]);
  });
});
