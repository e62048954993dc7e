/**
 * What Docket promises of itself, written once: the objectives, and how fast an error budget may burn before somebody is told
 * (Google's SRE workbook, chapter 5: several windows, several burn rates). Rules, dashboards and pages read them here.
 */

/** Of all calls, how many do not fail through our own fault. */
export const availabilityObjective = 0.999;

/** Of all unary calls, how many are answered within their threshold. */
export const latencyObjective = 0.99;

/** The threshold is this share of the policy's deadline, rounded down to a bucket: who waits longer notices. */
export const shareOfDeadline = 0.25;

/** Days that a budget is for. */
export const periodDays = 30;

/**
 * The bounds of the histograms of calls, in seconds, as the runtime makes them; a test compares. A threshold between two
 * bounds cannot be measured.
 */
export const callBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 40, 60] as const;

/** How often ratios are recorded, in seconds. */
export const recordingSeconds = 60;

/** Fewer failed calls than this in the longer window are no reason to tell anybody, whatever share of the calls they are. */
export const fewestFailures = 10;

/** Two windows that must both burn faster than `rate` times what the budget allows. */
export interface BurnWindows {
  readonly long: Window;
  readonly short: Window;
  readonly rate: number;
}

/** A range of PromQL over which ratios are recorded. */
export type Window = "5m" | "30m" | "1h" | "2h" | "6h" | "1d" | "3d";

/** Every window that is recorded, with its seconds. */
export const windowSeconds: Readonly<Record<Window, number>> = {
  "5m": 300,
  "30m": 1_800,
  "1h": 3_600,
  "2h": 7_200,
  "6h": 21_600,
  "1d": 86_400,
  "3d": 259_200,
};

/** Somebody is woken: 2 % of the month's budget in an hour, or 5 % in six. */
export const fastBurn: readonly BurnWindows[] = [
  { long: "1h", short: "5m", rate: 14.4 },
  { long: "6h", short: "30m", rate: 6 },
];

/** Somebody looks on the next working day: 10 % in a day, or in three. */
export const slowBurn: readonly BurnWindows[] = [
  { long: "1d", short: "2h", rate: 3 },
  { long: "3d", short: "6h", rate: 1 },
];
