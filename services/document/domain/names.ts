// Titles that come from file names. What people type is refused by the contract when it is wrong; a file name that an
// upload brought along is mended instead.

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
const unwelcome = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A title made of an upload's file name. */
export function titleFromFileName(fileName: string): string {
  const title = fileName.replace(unwelcome, "").replace(/[/\\]/g, "-").trim();
  const cut = [...title].slice(0, 255).join("");
  return cut === "" || cut === "." || cut === ".." ? "Untitled" : cut;
}
