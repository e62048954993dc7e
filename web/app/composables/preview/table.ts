// Tables in text: RFC 4180 with commas, semicolons or tabs, whichever the first lines hold most of.

/** The first rows of a table. */
export interface Table {
  /** The first row, by convention what the columns are called. */
  readonly header: readonly string[];
  /** The rows after it, each as long as the longest. */
  readonly rows: readonly (readonly string[])[];
  /** Whether rows were left out. */
  readonly more: boolean;
}

/** Reads at most so many rows after the first, and so many columns. */
export function readTable(text: string, maxRows = 1000, maxColumns = 200): Table {
  const separator = separatorOf(text);
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  let more = false;
  const endCell = () => {
    if (row.length < maxColumns) row.push(cell);
    cell = "";
  };
  const endRow = () => {
    endCell();
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  };
  let at = text.startsWith("\ufeff") ? 1 : 0;
  for (; at < text.length; at += 1) {
    const character = text[at];
    if (quoted) {
      if (character !== '"') cell += character;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (character === '"' && cell === "") quoted = true;
    else if (character === separator) endCell();
    else if (character === "\n" || character === "\r") {
      if (character === "\r" && text[at + 1] === "\n") at += 1;
      endRow();
      if (rows.length > maxRows) {
        more = text.slice(at + 1).trim() !== "";
        break;
      }
    } else cell += character;
  }
  if (at >= text.length && (cell !== "" || row.length > 0)) endRow();
  const width = rows.reduce((widest, { length }) => Math.max(widest, length), 0);
  for (const each of rows) while (each.length < width) each.push("");
  const [header = [], ...rest] = rows;
  return { header, rows: rest, more };
}

function separatorOf(text: string): string {
  const head = text.slice(0, 4096).replace(/"[^"]*"/g, "");
  const counts = [",", ";", "\t"].map((mark) => ({ mark, count: head.split(mark).length }));
  return counts.reduce((best, each) => (each.count > best.count ? each : best)).mark;
}
