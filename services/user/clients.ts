/** Every service that this one calls: none. Everybody asks it, so the call graph has no cycle through here. */
export const clients = [] as const;
