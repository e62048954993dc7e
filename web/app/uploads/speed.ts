// How fast it goes and how long it takes, calm enough to read.

/** Over how long the speed is taken, in milliseconds. */
const windowMs = 8000;

export interface SpeedMeter {
  /** Says how many bytes have gone up altogether at a moment. */
  add(bytes: number, now: number): void;
  /** Bytes in a second over the last few; 0 while too little is known. */
  speed(now: number): number;
  /** Forgets what was, for example after a pause. */
  reset(): void;
}

export function createSpeedMeter(): SpeedMeter {
  let samples: { bytes: number; at: number }[] = [];
  return {
    add(bytes, now) {
      const last = samples.at(-1);
      // Bytes that were lost with their connection, or a clock that was set, make earlier samples meaningless.
      if (last !== undefined && (bytes < last.bytes || now < last.at)) samples = [];
      samples.push({ bytes, at: now });
      while (samples.length > 2 && now - (samples[1]?.at ?? now) >= windowMs) samples.shift();
    },
    speed(now) {
      const [first] = samples;
      const last = samples.at(-1);
      if (first === undefined || last === undefined || last.at - first.at < 500) return 0;
      // Silence counts: a connection that hangs slows down instead of keeping its last speed.
      return ((last.bytes - first.bytes) / Math.max(now - first.at, last.at - first.at)) * 1000;
    },
    reset() {
      samples = [];
    },
  };
}

/** Seconds until the rest is there; undefined while nobody can know. */
export function secondsLeft(bytesLeft: number, speed: number): number | undefined {
  if (bytesLeft <= 0) return 0;
  return speed > 1 ? bytesLeft / speed : undefined;
}

/** Seconds in steps that do not flicker: whole ones, fives, minutes, hours. */
export function roundedDuration(seconds: number): { n: number; unit: "second" | "minute" | "hour" } {
  if (seconds < 10) return { n: Math.max(1, Math.ceil(seconds)), unit: "second" };
  if (seconds < 55) return { n: Math.ceil(seconds / 5) * 5, unit: "second" };
  if (seconds < 3300) return { n: Math.max(1, Math.round(seconds / 60)), unit: "minute" };
  return { n: Math.max(1, Math.round(seconds / 3600)), unit: "hour" };
}
