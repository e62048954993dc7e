// Which versions of a document may go when an operator keeps fewer of the old ones: of those past a first age the newest of
// each day stays, of those past a second age the newest of each month. Days and months are those of UTC, so that it is the
// same whoever asks.

/** From which age on, in milliseconds; 0: never. */
export interface Thinning {
  readonly dailyAfterMs: number;
  readonly monthlyAfterMs: number;
}

/** A version as far as thinning looks at it. */
export interface Aged {
  readonly id: string;
  readonly number: number;
  /** In milliseconds since 1970. */
  readonly createdAt: number;
  /** It is labelled, commented on or part of a task: it stays, and stands for nothing but itself. */
  readonly held: boolean;
}

/** The versions that go. The newest of all stays, whatever its age. */
export function thinnedOut<Version extends Aged>(
  versions: readonly Version[],
  thinning: Thinning,
  now: number,
): Version[] {
  const [, ...older] = [...versions].sort((a, b) => b.number - a.number);
  const taken = new Set<string>();
  return older.filter((version) => {
    const period = periodOf(version, thinning, now);
    if (version.held || period === undefined) return false;
    if (taken.has(period)) return true;
    taken.add(period);
    return false;
  });
}

/** The youngest age at which anything goes; undefined: nothing ever does. */
export function firstAge({ dailyAfterMs, monthlyAfterMs }: Thinning): number | undefined {
  const ages = [dailyAfterMs, monthlyAfterMs].filter((age) => age > 0);
  return ages.length === 0 ? undefined : Math.min(...ages);
}

/** The period of which one version stays; undefined: all do. */
function periodOf({ createdAt }: Aged, { dailyAfterMs, monthlyAfterMs }: Thinning, now: number): string | undefined {
  const age = now - createdAt;
  const day = new Date(createdAt).toISOString().slice(0, 10);
  if (monthlyAfterMs > 0 && age > monthlyAfterMs) return day.slice(0, 7);
  return dailyAfterMs > 0 && age > dailyAfterMs ? day : undefined;
}
