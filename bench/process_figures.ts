// What the kernel knows of a process: its CPU time and its largest resident set (proc(5)).

import { readFile, writeFile } from "node:fs/promises";

/** User and system time so far, in seconds: fields 14 and 15 of stat, in hundredths of a second. */
export async function cpuSeconds(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** The largest resident set since the start or the last `forgetPeak`, in MB. */
export async function peakMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return (Number(status.match(/VmHWM:\s+(\d+)/)?.[1]) * 1024) / 1e6;
}

/** Lets the peak begin anew at the present resident set. */
export async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, "5");
}

/** `min 1.0, median 2.0, max 3.0 unit` */
export function spread(figures: readonly number[], unit: string): string {
  const sorted = [...figures].sort((a, b) => a - b);
  const [min, median, max] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  return `min ${min?.toFixed(1)}, median ${median?.toFixed(1)}, max ${max?.toFixed(1)} ${unit}`;
}
