// Names as the contract takes them.

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be in a name.
const refused = /[/\\\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const longest = 255;

/** A file's or folder's name with what the server refuses replaced; too long ones keep their extension. */
export function cleanName(name: string): string {
  const clean = name.normalize("NFC").replace(refused, "_");
  if (clean.trim() === "" || clean === "." || clean === "..") return "_";
  const letters = [...clean];
  if (letters.length <= longest) return clean;
  const dot = letters.lastIndexOf(".");
  const tail = dot > 0 && letters.length - dot <= 16 ? letters.slice(dot) : [];
  return [...letters.slice(0, longest - tail.length), ...tail].join("");
}

const litter = new Set([".DS_Store", "Thumbs.db", "desktop.ini", ".localized"]);

/** What systems leave in folders, which nobody means to keep. */
export function isLitter(name: string): boolean {
  return litter.has(name) || name.startsWith("._");
}
