// How lists look to this reader. Cookies, so that the server's page looks the same.

export type ListingLook = "list" | "grid";

export function useListingView() {
  const lasting = { sameSite: "lax", maxAge: 31_536_000 } as const;
  const look = useCookie<ListingLook>("docket-view", { ...lasting, default: () => "list" });
  /** How many cards stood side by side the last time; the server cannot measure. */
  const columns = useCookie<number>("docket-columns", { ...lasting, default: () => 4 });
  return {
    look: computed({ get: () => (look.value === "grid" ? "grid" : "list"), set: (value) => (look.value = value) }),
    columns,
  };
}
