// The words under which a document is found. Words and queries go through the same normalisation, so that case,
// accents and width make no difference; each stored term is a beginning of a word, so that a search is one equality.

/** The longest beginning that is stored; longer words of a query are cut to it. */
const longestPrefix = 20;
/** The most terms that are kept of one document. */
const mostTerms = 500;
/** The most words of a query that count. */
const mostWords = 8;

/** Scripts that write words without blanks between: every character may begin one. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;

/** The words of a text, normalised: without case, accents, width and punctuation. */
export function wordsOf(text: string): string[] {
  const folded = text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  return folded.match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** What is stored for a title and tags: every beginning of every word. */
export function termsOf(title: string, tags: readonly string[]): string[] {
  const terms = new Set<string>();
  for (const word of [title, ...tags].flatMap(wordsOf)) {
    for (const start of beginnings(word)) {
      for (let length = 1; length <= Math.min(start.length, longestPrefix); length++) {
        if (terms.size === mostTerms) return [...terms];
        terms.add(start.slice(0, length).join(""));
      }
    }
  }
  return [...terms];
}

/** What a query looks for: all of these, the longest first, since it is likely to be the rarest. */
export function queryTerms(query: string): string[] {
  const words = wordsOf(query).map((word) => [...word].slice(0, longestPrefix).join(""));
  return [...new Set(words)].slice(0, mostWords).sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
}

/** The characters from each place at which a word may begin. */
function beginnings(word: string): string[][] {
  const characters = [...word];
  const starts = [characters];
  for (let at = 1; at < characters.length; at++) {
    if (unspaced.test(characters[at] ?? "")) starts.push(characters.slice(at));
  }
  return starts;
}

/** How a name is sorted and compared: without case and width. */
export function sortKey(name: string): string {
  return name.normalize("NFKC").toLowerCase().slice(0, 255);
}

/** How tags are compared. */
export function tagKey(tag: string): string {
  return sortKey(tag.trim());
}

/** Tags as they were written, without blanks around and without those that differ only in case. */
export function tidyTags(tags: readonly string[]): string[] {
  const known = new Map<string, string>();
  for (const tag of tags) {
    const key = tagKey(tag);
    if (key !== "" && !known.has(key)) known.set(key, tag.trim());
  }
  return [...known.values()];
}
