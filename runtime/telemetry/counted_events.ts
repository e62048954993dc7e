// Counts the business events of a service by their names. Each is there at 0 from the start.

import type { Metrics } from "./metrics.ts";

/** The same events, counted as `document_created` for `documentCreated`; without metrics, the very same. */
export function countedEvents<Events extends object>(metrics: Metrics | undefined, events: Events): Events {
  if (metrics === undefined) return events;
  const counter = metrics.counter("docket.events", { unit: "{event}", description: "Business events." });
  const counted: Record<string, unknown> = {};
  for (const [name, tell] of Object.entries(events) as [string, (...told: unknown[]) => unknown][]) {
    const labels = { event: name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) };
    counter.add(labels, 0);
    counted[name] = (...told: unknown[]) => {
      counter.add(labels);
      return tell.apply(events, told);
    };
  }
  return counted as Events;
}
