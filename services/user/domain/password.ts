import { commonPasswords, commonWords } from "./common_passwords.ts";

/** Shortest and longest password, in characters. Nothing is cut off: a longer one is refused. */
export const passwordLength = { min: 8, max: 1024 } as const;

/** Why a password is refused. */
export type PasswordWeakness = "common" | "repeated" | "personal";

/** Whether a password is too easy to guess for this person. Its length is the contract's affair. */
export function passwordWeakness(
  password: string,
  person: { email: string; displayName: string },
): PasswordWeakness | undefined {
  const folded = password.normalize("NFKC").toLowerCase();
  if (isRepeated(folded)) return "repeated";
  if (isCommon(folded)) return "common";
  const local = person.email.split("@")[0] ?? "";
  const own = [person.email, local, person.displayName, person.displayName.replaceAll(/\s+/g, "")];
  const bare = withoutTail(folded);
  if (own.some((name) => name.length >= 3 && [folded, bare].includes(name.normalize("NFKC").toLowerCase()))) {
    return "personal";
  }
  return undefined;
}

function isCommon(folded: string): boolean {
  if (commonPasswords.has(folded) || isSequence(folded)) return true;
  const bare = withoutTail(folded);
  return [bare, plain(bare), withoutTail(plain(folded))].some((word) => commonWords.has(word));
}

/** One or two characters over and over: `aaaaaaaa`, `abababab`. */
function isRepeated(folded: string): boolean {
  return new Set(folded).size <= 2;
}

const rows = ["01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm"];

function isSequence(folded: string): boolean {
  const back = [...folded].reverse().join("");
  return rows.some((row) => row.repeat(3).includes(folded) || row.repeat(3).includes(back));
}

/** Digits and marks that people put behind or before a word. */
function withoutTail(folded: string): string {
  return folded.replace(/[^\p{L}]+$/u, "").replace(/^[^\p{L}]+/u, "");
}

const look: Record<string, string> = {
  "0": "o",
  "1": "l",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "@": "a",
  $: "s",
  "!": "i",
};

function plain(folded: string): string {
  return [...folded].map((character) => look[character] ?? character).join("");
}
