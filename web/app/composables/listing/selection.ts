// Which rows are chosen, and which one has the keyboard. Pure: each function gives the state after something was done.

export interface Selection {
  /** What is chosen. */
  readonly ids: ReadonlySet<string>;
  /** The row that the keyboard is at; empty: none yet. */
  readonly active: string;
  /** Where a range begins. */
  readonly anchor: string;
}

export const emptySelection: Selection = { ids: new Set(), active: "", anchor: "" };

/** Chooses one row alone. */
export function chooseOnly(_: Selection, id: string): Selection {
  return { ids: new Set([id]), active: id, anchor: id };
}

/** Chooses a row too, or no more. */
export function chooseToo(selection: Selection, id: string): Selection {
  const ids = new Set(selection.ids);
  if (!ids.delete(id)) ids.add(id);
  return { ids, active: id, anchor: id };
}

/** Chooses everything from where a range begins to this row; with `add` beside what is chosen already. */
export function chooseRange(selection: Selection, order: readonly string[], id: string, add = false): Selection {
  const to = order.indexOf(id);
  if (to < 0) return selection;
  const from = Math.max(0, order.indexOf(selection.anchor || selection.active));
  const range = order.slice(Math.min(from, to), Math.max(from, to) + 1);
  return { ids: new Set(add ? [...selection.ids, ...range] : range), active: id, anchor: order[from] ?? id };
}

export function chooseAll(selection: Selection, order: readonly string[]): Selection {
  return { ...selection, ids: new Set(order) };
}

export function chooseNone(selection: Selection): Selection {
  return { ...selection, ids: new Set() };
}

/** Goes to a row and chooses nothing by that. */
export function goTo(selection: Selection, id: string): Selection {
  return { ...selection, active: id, anchor: selection.ids.size === 0 ? id : selection.anchor };
}

/** After rows have gone: what is left of the choice, and the row that moved up in the place of the active one. */
export function afterRows(selection: Selection, before: readonly string[], after: readonly string[]): Selection {
  const present = new Set(after);
  const missing = (id: string) => id !== "" && !present.has(id);
  const kept = [...selection.ids].filter((id) => present.has(id));
  if (kept.length === selection.ids.size && !missing(selection.active) && !missing(selection.anchor)) return selection;
  const active = missing(selection.active) ? nearest(before, selection.active, present) : selection.active;
  return { ids: new Set(kept), active, anchor: missing(selection.anchor) ? active : selection.anchor };
}

function nearest(before: readonly string[], id: string, present: ReadonlySet<string>): string {
  const at = before.indexOf(id);
  const below = before.slice(at + 1).find((one) => present.has(one));
  return below ?? before.slice(0, Math.max(0, at)).findLast((one) => present.has(one)) ?? "";
}

/** How the rows lie: how many stand side by side, and how many lines a page has. */
export interface Arrangement {
  readonly count: number;
  readonly columns: number;
  readonly linesPerPage: number;
}

/** Where a key leads from a row (-1: from none); undefined for keys that lead nowhere. */
export function indexAfterKey(
  key: string,
  from: number,
  { count, columns, linesPerPage }: Arrangement,
): number | undefined {
  if (count === 0) return undefined;
  const last = count - 1;
  const within = (index: number) => Math.min(Math.max(index, 0), last);
  switch (key) {
    case "Home":
      return 0;
    case "End":
      return last;
    case "ArrowDown":
      return from < 0 ? 0 : from + columns <= last || columns === 1 ? within(from + columns) : from;
    case "ArrowUp":
      return from < 0 ? last : from - columns >= 0 || columns === 1 ? within(from - columns) : from;
    case "ArrowRight":
      return columns === 1 ? undefined : within(from + 1);
    case "ArrowLeft":
      return columns === 1 ? undefined : within(from - 1);
    case "PageDown":
      return within(Math.max(from, 0) + columns * Math.max(1, linesPerPage - 1));
    case "PageUp":
      return within(from - columns * Math.max(1, linesPerPage - 1));
    default:
      return undefined;
  }
}
