/** Tags after some were added and some taken away, compared without regard to case. */
export function retagged(tags: readonly string[], add: readonly string[], remove: readonly string[]): string[] {
  const same = (one: string) => one.toLowerCase();
  const gone = new Set(remove.map(same));
  const kept = tags.filter((one) => !gone.has(same(one)));
  const there = new Set(kept.map(same));
  return [...kept, ...add.filter((one) => !there.has(same(one)))];
}
