// One id for each request: in its answer, in every log line, and at every hop.

const wellFormed = /^[A-Za-z0-9][A-Za-z0-9._-]{7,63}$/;

/** Takes a trusted proxy's id when it is well-formed, so that its logs and ours meet; makes one otherwise. */
export function requestIdOf(inbound: string | string[] | undefined, trusted: boolean, make: () => string): string {
  return trusted && typeof inbound === "string" && wellFormed.test(inbound) ? inbound : make();
}
