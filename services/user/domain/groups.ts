/** One group holds another. */
export interface GroupEdge {
  readonly parent: string;
  readonly child: string;
}

/** Whether a group would hold itself, were `child` put into `parent`. */
export function wouldCycle(edges: readonly GroupEdge[], parent: string, child: string): boolean {
  return parent === child || above(edges, parent).has(child);
}

/** All groups that hold this one, directly or through others. */
export function above(edges: readonly GroupEdge[], group: string): Set<string> {
  const parents = new Map<string, string[]>();
  for (const edge of edges) parents.set(edge.child, [...(parents.get(edge.child) ?? []), edge.parent]);
  const found = new Set<string>();
  const open = [group];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const parent of parents.get(next) ?? []) {
      if (found.has(parent)) continue;
      found.add(parent);
      open.push(parent);
    }
  }
  return found;
}

/** A shortest way from one of the groups somebody is in up to `target`: both ends included; undefined when there is none. */
export function wayUp(edges: readonly GroupEdge[], direct: readonly string[], target: string): string[] | undefined {
  const ways: string[][] = direct.map((group) => [group]);
  const seen = new Set(direct);
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    const last = way.at(-1);
    if (last === target) return way;
    for (const { parent, child } of edges) {
      if (child !== last || seen.has(parent)) continue;
      seen.add(parent);
      ways.push([...way, parent]);
    }
  }
  return undefined;
}
