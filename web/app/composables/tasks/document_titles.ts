// What documents are called, for lists that know their ids.

/** How many are asked for at once. */
const atOnce = 6;

/** The calls on their way, by the document's id. */
const askedOf = (app: object): Map<string, Promise<void>> => {
  const kept = app as { docketTitlesAsked?: Map<string, Promise<void>> };
  kept.docketTitlesAsked ??= new Map();
  return kept.docketTitlesAsked;
};

export function useDocumentTitles() {
  const documents = useDocuments();
  const asked = askedOf(useNuxtApp());
  /** Titles by id. An empty one: it cannot be known. */
  const known = useState<Record<string, string>>("document-titles", () => ({}));

  async function ask(id: string): Promise<void> {
    const title = await documents.get(id).then(
      (document) => document.title,
      () => "",
    );
    known.value = { ...known.value, [id]: title };
    asked.delete(id);
  }

  /** Learns what is not known yet. What cannot be learnt has no title; nothing fails. */
  async function know(ids: readonly string[]): Promise<void> {
    const wanted = [...new Set(ids)].filter((id) => known.value[id] === undefined);
    const fresh = wanted.filter((id) => !asked.has(id));
    let free = fresh.slice(0, atOnce).map(() => Promise.resolve());
    fresh.forEach((id, at) => {
      const before = free[at % atOnce] ?? Promise.resolve();
      const mine = before.then(() => ask(id));
      asked.set(id, mine);
      free = free.with(at % atOnce, mine);
    });
    await Promise.all(wanted.map((id) => asked.get(id)));
  }

  return { titles: known, know };
}
