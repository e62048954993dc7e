// What a person does begins a trace: a click, or the key that stands for one. The calls that follow from it name that
// trace, each as its child, so that a trace shows all that one click set off. The browser records nothing and sends nothing
// of its own; whether the edge records is the edge's affair.

/** A place in a trace, as the header `traceparent` has it. */
interface Gesture {
  readonly traceId: string;
  readonly spanId: string;
  readonly at: number;
}

/** How long after it a call is taken to follow from a gesture, in milliseconds. */
const followsMs = 5000;

let latest: Gesture | undefined;

/** Begins a trace with each click and Enter in a window. */
export function watchGestures(window: Pick<EventTarget, "addEventListener">): void {
  const begin = (event: Event) => {
    if (event.type === "keydown" && (event as KeyboardEvent).key !== "Enter") return;
    latest = gesture();
  };
  // Before anybody else hears of it.
  for (const type of ["click", "keydown"]) window.addEventListener(type, begin, { capture: true, passive: true });
}

/** The header for a call that is made now: of the gesture that it follows from, or of a trace of its own. */
export function traceparent(): string {
  const known = latest !== undefined && performance.now() - latest.at < followsMs ? latest : gesture();
  return `00-${known.traceId}-${known.spanId}-01`;
}

function gesture(): Gesture {
  return { traceId: hex(16), spanId: hex(8), at: performance.now() };
}

/** Random digits; `getRandomValues` is there on plain HTTP too. */
function hex(bytes: number): string {
  const values = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(values, (value) => value.toString(16).padStart(2, "0")).join("");
}
