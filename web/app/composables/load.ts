// What a page shows, as data or as a fault, so that a page whose data cannot be had still arrives.

/** Asks once for a page that the server renders, and again on every visit; what is there stays meanwhile. */
export async function useLoaded<Value>(key: string, ask: () => Promise<Value>) {
  const { faultOf } = useFaults();
  const { data, refresh } = await useAsyncData(
    key,
    async (): Promise<{ value?: Value; fault?: Fault }> => {
      try {
        return { value: await ask() };
      } catch (error) {
        return { fault: faultOf(error) };
      }
    },
    { lazy: true, deep: false },
  );
  const value = computed<Value | undefined>({
    get: () => (data.value as { value?: Value } | undefined)?.value,
    set: (now) => {
      data.value = { value: now } as typeof data.value;
    },
  });
  return { value, fault: computed(() => data.value?.fault), reload: async () => void (await refresh()) };
}
