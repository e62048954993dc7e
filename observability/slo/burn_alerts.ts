// The alerts on error budgets: fast burns wake somebody, slow ones wait for the next working day.
import {
  availabilityObjective,
  type BurnWindows,
  fastBurn,
  fewestFailures,
  latencyObjective,
  periodDays,
  recordingSeconds,
  slowBurn,
} from "./objectives.ts";
import { recorded } from "./recording.ts";
import type { Alert } from "./rule.ts";

const who = "{{ $labels.service }} ({{ $labels.rpc_class }})";

export function burnAlerts(): Alert[] {
  const availability = { ratio: recorded.faultRatio, count: recorded.faults, budget: budgetOf(availabilityObjective) };
  const latency = { ratio: recorded.slowRatio, count: recorded.slow, budget: budgetOf(latencyObjective) };
  return [
    {
      name: "AvailabilityBudgetBurnsFast",
      severity: "page",
      expr: burning(fastBurn, availability),
      for: "2m",
      summary: `${who}: {{ $value | humanizePercentage }} of calls fail`,
      description: `At this rate the error budget of ${periodDays} days (${percent(1 - availabilityObjective)}) is used up within days. People notice.`,
    },
    {
      name: "AvailabilityBudgetBurnsSlowly",
      severity: "ticket",
      expr: burning(slowBurn, availability),
      for: "15m",
      summary: `${who}: {{ $value | humanizePercentage }} of calls fail, and have for a while`,
      description: `The error budget of ${periodDays} days (${percent(1 - availabilityObjective)}) will not last. Nobody need get up for it.`,
    },
    {
      name: "LatencyBudgetBurnsFast",
      severity: "page",
      expr: burning(fastBurn, latency),
      for: "2m",
      summary: `${who}: {{ $value | humanizePercentage }} of calls take more than a quarter of their deadline`,
      description: `${percent(1 - latencyObjective)} may be slow. At this rate the budget of ${periodDays} days is used up within days.`,
    },
    {
      name: "LatencyBudgetBurnsSlowly",
      severity: "ticket",
      expr: burning(slowBurn, latency),
      for: "15m",
      summary: `${who}: {{ $value | humanizePercentage }} of calls are slow, and have been for a while`,
      description: `${percent(1 - latencyObjective)} may take more than a quarter of their deadline. The budget of ${periodDays} days will not last.`,
    },
  ];
}

interface Indicator {
  readonly ratio: (window: BurnWindows["long"]) => string;
  readonly count: string;
  readonly budget: number;
}

/** Both windows: the long one says that it matters, the short one that it still goes on. */
function burning(windows: readonly BurnWindows[], { ratio, count, budget }: Indicator): string {
  return windows
    .map(({ long, short, rate }) => {
      const limit = round(rate * budget);
      const enough = `sum_over_time(${count}[${long}]) * ${recordingSeconds} >= ${fewestFailures}`;
      return `(${ratio(long)} > ${limit} and ${ratio(short)} > ${limit} and ${enough})`;
    })
    .join("\nor\n");
}

function budgetOf(objective: number): number {
  return 1 - objective;
}

function round(value: number): number {
  return Number(value.toPrecision(6));
}

function percent(share: number): string {
  return `${round(share * 100)} %`;
}
