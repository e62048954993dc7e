// What things are called in an archive: names that every system can write, that lead nowhere else, and of which no two
// in a folder are the same where case makes no difference.

/** What some system refuses in a name, or gives a meaning of its own. */
const unwelcome = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff"*/:<>?\\|]/gu;
/** Names that Windows keeps for devices, with or without an extension. */
const reserved = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\.|$)/i;
/** The most bytes that file systems give a name; the archive's own limit is higher. */
const mostBytes = 240;

/** A title or folder name as one step of a path. */
export function stepOf(name: string): string {
  const clean = name
    .toWellFormed()
    .normalize("NFC")
    .replace(unwelcome, "_")
    .trim()
    .replace(/[. ]+$/, "");
  const step = clean === "" ? "_" : clean;
  return cut(reserved.test(step) ? `_${step}` : step, mostBytes);
}

/** A document's title with the extension of its file, where the title does not end with it already. */
export function fileStep(title: string, fileName: string): string {
  const extension = extensionOf(fileName.trim());
  const whole = title.trim().toLowerCase().endsWith(extension.toLowerCase()) ? title : `${title.trim()}${extension}`;
  return stepOf(whole);
}

/** The extension with its dot; empty: none. */
function extensionOf(name: string): string {
  return /[^.](\.[\p{L}\p{N}]{1,16})$/u.exec(name)?.[1] ?? "";
}

/** A text of at most so many bytes; an extension at its end stays. */
function cut(name: string, bytes: number): string {
  if (Buffer.byteLength(name) <= bytes) return name;
  const extension = extensionOf(name);
  const room = bytes - Buffer.byteLength(extension);
  let kept = "";
  let length = 0;
  for (const character of name.slice(0, name.length - extension.length)) {
    length += Buffer.byteLength(character);
    if (length > room) break;
    kept += character;
  }
  return `${kept.trimEnd()}${extension}`;
}

/** The names given in one folder. */
export class Steps {
  readonly #taken = new Set<string>();
  /** The number to go on with for each name that was wanted more than once, so that many equal ones stay cheap. */
  readonly #next = new Map<string, number>();

  /** This name, or one with a number before its extension where it is taken. */
  give(step: string): string {
    const extension = extensionOf(step);
    const stem = step.slice(0, step.length - extension.length);
    const key = keyOf(step);
    let given = step;
    for (let number = this.#next.get(key) ?? 2; this.#taken.has(keyOf(given)); number++) {
      given = `${stem} (${number})${extension}`;
      this.#next.set(key, number + 1);
    }
    this.#taken.add(keyOf(given));
    return given;
  }
}

function keyOf(step: string): string {
  return step.normalize("NFKC").toUpperCase().toLowerCase();
}

/** What the file of an archive is called. */
export function archiveName(base: string, date: string | undefined): string {
  const name = date === undefined ? base : `${base} ${date}`;
  return `${stepOf(name.replace(/\.zip$/i, ""))}.zip`;
}
