// A list that comes page by page, in the browser.

/** One page of a list; an empty token when it is the last. */
export interface ListPage<Item> {
  readonly items: readonly Item[];
  readonly nextPageToken: string;
}

/** Loads the first page when the component is there. What is shown stays until something newer has come. */
export function usePaged<Item>(load: (pageToken: string) => Promise<ListPage<Item>>) {
  const { faultOf, showFault } = useFaults();
  /** Undefined: nothing has come yet. */
  const items = shallowRef<readonly Item[]>();
  const fault = shallowRef<Fault>();
  const busy = ref(false);
  const nextPageToken = ref("");
  let turn = 0;

  /** Lists anew from the beginning. */
  async function reload(): Promise<void> {
    turn += 1;
    const mine = turn;
    busy.value = true;
    try {
      const page = await load("");
      if (mine !== turn) return;
      items.value = page.items;
      nextPageToken.value = page.nextPageToken;
      fault.value = undefined;
    } catch (error) {
      if (mine !== turn) return;
      if (items.value === undefined) fault.value = faultOf(error);
      else showFault(error);
    } finally {
      if (mine === turn) busy.value = false;
    }
  }

  async function more(): Promise<void> {
    if (busy.value || nextPageToken.value === "") return;
    const mine = turn;
    busy.value = true;
    try {
      const page = await load(nextPageToken.value);
      if (mine !== turn) return;
      items.value = [...(items.value ?? []), ...page.items];
      nextPageToken.value = page.nextPageToken;
    } catch (error) {
      showFault(error);
    } finally {
      if (mine === turn) busy.value = false;
    }
  }

  onMounted(reload);
  return { items, fault, busy, hasMore: computed(() => nextPageToken.value !== ""), reload, more };
}
