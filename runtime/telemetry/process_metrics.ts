// The process itself: the event loop, the heap, the processor. Names are OpenTelemetry's for Node.js and V8.

import { constants, monitorEventLoopDelay, PerformanceObserver, performance } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import type { Metrics } from "./metrics.ts";

const nanoseconds = 1e9;

const kindsOfCollection: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: "minor",
  [constants.NODE_PERFORMANCE_GC_MAJOR]: "major",
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: "incremental",
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: "weakcb",
};

/** Watches until disposed. */
export function observeProcess(metrics: Metrics): Disposable {
  const parts = new DisposableStack();
  parts.use(observeLoop(metrics));
  const heap = { unit: "By", description: "The heap of V8." };
  parts.use(metrics.gauge("v8js.memory.heap.used", heap, () => [{ value: getHeapStatistics().used_heap_size }]));
  parts.use(metrics.gauge("v8js.memory.heap.limit", heap, () => [{ value: getHeapStatistics().heap_size_limit }]));
  parts.use(observeCollections(metrics));
  parts.use(
    metrics.total("process.cpu.time", { unit: "s", description: "Time on a processor." }, () => {
      const { user, system } = process.cpuUsage();
      return [
        { value: user / 1e6, labels: { "cpu.mode": "user" } },
        { value: system / 1e6, labels: { "cpu.mode": "system" } },
      ];
    }),
  );
  const memory = { unit: "By", description: "Physical memory in use." };
  parts.use(metrics.gauge("process.memory.usage", memory, () => [{ value: process.memoryUsage.rss() }]));
  const uptime = { unit: "s", description: "Since the start of the process." };
  parts.use(metrics.gauge("process.uptime", uptime, () => [{ value: process.uptime() }]));
  return parts;
}

function observeLoop(metrics: Metrics): Disposable {
  const parts = new DisposableStack();
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  parts.defer(() => delay.disable());
  const gauge = (name: string, read: (histogram: typeof delay) => number) =>
    parts.use(
      metrics.gauge(
        `nodejs.eventloop.delay.${name}`,
        { unit: "s", description: "How late timers were since the last look." },
        // Measured from 20 ms on, which is how often it looks itself.
        () => [{ value: delay.count === 0 ? 0 : Math.max(0, read(delay) / nanoseconds - 0.02) }],
      ),
    );
  gauge("p50", (histogram) => histogram.percentile(50));
  gauge("p99", (histogram) => histogram.percentile(99));
  gauge("max", (histogram) => histogram.max);
  let before = performance.eventLoopUtilization();
  parts.use(
    metrics.gauge(
      "nodejs.eventloop.utilization",
      { unit: "1", description: "The share of time that the event loop was busy since the last look." },
      () => {
        const now = performance.eventLoopUtilization();
        const { utilization } = performance.eventLoopUtilization(now, before);
        before = now;
        // The last of them to be asked: a new span of time begins.
        delay.reset();
        return [{ value: utilization }];
      },
    ),
  );
  return parts;
}

function observeCollections(metrics: Metrics): Disposable {
  const histogram = metrics.histogram("v8js.gc.duration", {
    unit: "s",
    description: "Pauses of the garbage collector.",
    bounds: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1],
  });
  const series = new Map(
    Object.entries(kindsOfCollection).map(([kind, name]) => [Number(kind), histogram.series({ "v8js.gc.type": name })]),
  );
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind = -1 } = (entry as { detail?: { kind?: number } }).detail ?? {};
      series.get(kind)?.record(entry.duration / 1000, undefined);
    }
  });
  observer.observe({ entryTypes: ["gc"] });
  return { [Symbol.dispose]: () => observer.disconnect() };
}
