/** What an answer always holds, though its type cannot say so. */
export function there<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("The answer lacks what it is about.");
  return value;
}

/** All of a list that comes page by page. */
export async function allPages<Item>(
  page: (pageToken: string) => Promise<{ items: readonly Item[]; nextPageToken: string }>,
): Promise<Item[]> {
  const found: Item[] = [];
  for (let pageToken = ""; ; ) {
    const { items, nextPageToken } = await page(pageToken);
    found.push(...items);
    pageToken = nextPageToken;
    if (pageToken === "") return found;
  }
}
