// Files that are chosen again after a reload, and the uploads that wait for them.

export interface Wanted {
  readonly id: string;
  readonly name: string;
  readonly path: readonly string[];
  readonly size: number;
  /** When the file was changed last, in milliseconds since 1970. */
  readonly modified: number;
}

export interface Offered {
  readonly path: readonly string[];
  readonly file: { readonly name: string; readonly size: number; readonly lastModified: number };
}

/**
 * Gives each upload its file: same name, size and time of change; among equal ones that with the same path first.
 * Files that nothing waits for are left over.
 */
export function matchFiles<File extends Offered>(
  wanted: readonly Wanted[],
  offered: readonly File[],
): { readonly matched: ReadonlyMap<string, File>; readonly left: File[] } {
  const waiting = new Map<string, Wanted[]>();
  for (const one of wanted) {
    const key = keyOf(one.name, one.size, one.modified);
    const same = waiting.get(key);
    if (same === undefined) waiting.set(key, [one]);
    else same.push(one);
  }
  const matched = new Map<string, File>();
  const take = (file: File, samePath: boolean): boolean => {
    const same = waiting.get(keyOf(file.file.name, file.file.size, file.file.lastModified)) ?? [];
    const at = samePath ? same.findIndex(({ path }) => path.join("/") === file.path.join("/")) : 0;
    const [found] = at < 0 ? [] : same.splice(at, 1);
    if (found !== undefined) matched.set(found.id, file);
    return found !== undefined;
  };
  const left = offered.filter((file) => !take(file, true)).filter((file) => !take(file, false));
  return { matched, left };
}

function keyOf(name: string, size: number, modified: number): string {
  return `${size} ${modified} ${name}`;
}
