import { v7 } from "uuid";

/** A new id: UUIDv7 in lower case, ordered by the time of its making (within one process strictly). */
export function newId(): string {
  return v7();
}
