// What documents are called, for lists that know their ids.

/** How many are asked for at once. */
const atOnce = 6;

export function useDocumentTitles() {
  const documents = useDocuments();
  /** Titles by id. An empty one: it cannot be known. */
  const known = useState<Record<string, string>>("document-titles", () => ({}));

  /** Learns what is not known yet. What cannot be learnt has no title; nothing fails. */
  async function know(ids: readonly string[]): Promise<void> {
    const wanted = [...new Set(ids)].filter((id) => known.value[id] === undefined);
    // One that is being asked for is not asked for twice.
    known.value = { ...known.value, ...Object.fromEntries(wanted.map((id) => [id, ""])) };
    const found: Record<string, string> = {};
    async function work(): Promise<void> {
      for (let id = wanted.pop(); id !== undefined; id = wanted.pop()) {
        found[id] = await documents.get(id).then(
          ({ title }) => title,
          () => "",
        );
      }
    }
    await Promise.all(Array.from({ length: atOnce }, work));
    known.value = { ...known.value, ...found };
  }

  return { titles: known, know };
}
