// Texts by their key. A key's value is a sentence with `{names}`, or, where a number decides, one sentence for each
// plural category of the language: `{ "one": "{n} file", "other": "{n} files" }`.
//
// This is written here and not taken from a library because a page's first load is bounded: the usual one weighs more
// than all of the portal's own code (see docs/decisions).

import { languages, type Texts } from "~/texts";

type Plural = { readonly other: string };
type KeyOf<Tree, Prefix extends string = ""> = {
  [Name in keyof Tree & string]: Tree[Name] extends string | Plural
    ? `${Prefix}${Name}`
    : KeyOf<Tree[Name], `${Prefix}${Name}.`>;
}[keyof Tree & string];

/** The keys of all texts. */
export type TextKey = KeyOf<Texts>;
/** What fills the `{names}`; `n` also chooses the plural. */
export type TextValues = Readonly<Record<string, string | number | bigint>>;

const language = "en";
const plurals = new Intl.PluralRules(language);

export function useI18n() {
  return { language, t, te };
}

/** The text of a key. */
function t(key: TextKey, values: TextValues = {}): string {
  const found = find(key);
  const text = typeof found === "string" ? found : pluralOf(found, Number(values.n ?? 0));
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Whether there is a text of this key, which may come from data. */
function te(key: string): key is TextKey {
  return typeof find(key) === "string";
}

function find(key: string): unknown {
  let found: unknown = languages[language];
  for (const name of key.split(".")) found = (found as Record<string, unknown> | undefined)?.[name];
  return found;
}

function pluralOf(forms: unknown, n: number): string {
  const { [plurals.select(n)]: chosen, other = "" } = (forms ?? {}) as Record<string, string>;
  return chosen ?? other;
}
