// Whether a document or folder is there, in the trash, or about to be gone. The numbers stand in rows; lists of what is
// there and of what was put into the trash by name are each one value, so that an index serves them.

export const state = {
  /** It is there. */
  live: 0,
  /** It was put into the trash by name. */
  trashed: 1,
  /** It went to the trash with a folder above. */
  trashedWithin: 2,
  /** It is being removed for good; nobody sees it any more. */
  purging: 3,
} as const;

/** One of the numbers above. */
export type State = number;

/** Whether it lies in the trash, by name or with a folder. */
export function isTrashed(value: State): boolean {
  return value === state.trashed || value === state.trashedWithin;
}

/** The state of what is listed in a folder: of one in the trash, what went there with it or with a folder above. */
export function stateWithin(folder: State): State {
  return isTrashed(folder) ? state.trashedWithin : state.live;
}
