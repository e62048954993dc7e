// Which changes a webhook is told: as ChangeFilter says it of streams, for one who sees everything.

/** What a change is about, as filters look at it. */
export interface ChangeFacts {
  readonly kind: number;
  readonly documentId?: string | undefined;
}

/** What a webhook wants; empty lists want everything. */
export interface Wanted {
  readonly documentIds: readonly string[];
  readonly kinds: readonly number[];
}

/** Whether a webhook is told of a change. */
export function wants({ documentIds, kinds }: Wanted, { kind, documentId }: ChangeFacts): boolean {
  if (kinds.length > 0 && !kinds.includes(kind)) return false;
  if (documentIds.length === 0) return true;
  return documentId !== undefined && documentIds.some((id) => id.toLowerCase() === documentId);
}
