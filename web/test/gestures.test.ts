// @vitest-environment node
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { traceparent, watchGestures } from "../app/trace/gestures";

const shape = /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/;
const traceOf = (header: string) => shape.exec(header)?.[1];

describe("a gesture", () => {
  const page = new EventTarget();
  watchGestures(page);
  const press = (key: string) => page.dispatchEvent(Object.assign(new Event("keydown"), { key }));

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("begins a trace that all calls name which follow from it", () => {
    page.dispatchEvent(new Event("click"));
    const first = traceparent();
    expect(first).toMatch(shape);
    vi.advanceTimersByTime(4900);
    expect(traceparent()).toBe(first);
    page.dispatchEvent(new Event("click"));
    expect(traceOf(traceparent())).not.toBe(traceOf(first));
  });

  it("is Enter as well, and no other key", () => {
    page.dispatchEvent(new Event("click"));
    const first = traceparent();
    press("a");
    expect(traceparent()).toBe(first);
    press("Enter");
    expect(traceparent()).not.toBe(first);
  });

  it("has nothing to do with what comes much later: each such call is a trace of its own", () => {
    page.dispatchEvent(new Event("click"));
    const first = traceparent();
    vi.advanceTimersByTime(5100);
    const [second, third] = [traceparent(), traceparent()];
    expect(new Set([first, second, third].map(traceOf)).size).toBe(3);
  });
});
