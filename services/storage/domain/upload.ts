// What an upload may become. A pure function of its state and what happens; stores apply the answer in a transaction.

export type State = "receiving" | "verifying" | "stored" | "attached" | "failed" | "concatenated";

/** Why an upload failed, as docket.storage.v1.UploadFailure says it. */
export type Failure = "digest_mismatch" | "expired" | "aborted" | "corrupt" | "store_fault";

/** What may happen to an upload. */
export type Happening =
  | { readonly kind: "bytes" }
  | { readonly kind: "complete" }
  | { readonly kind: "verified" }
  | { readonly kind: "attached" }
  | { readonly kind: "concatenated" }
  | { readonly kind: "failed"; readonly failure: Failure };

/** The next state, or a refusal: the state does not allow it. */
export type Transition =
  | { readonly allowed: true; readonly state: State; readonly failure?: Failure }
  | { readonly allowed: false };

const refused: Transition = { allowed: false };
const to = (state: State): Transition => ({ allowed: true, state });

/** What becomes of an upload. What has happened already may happen again. */
export function next(state: State, happening: Happening, partial: boolean): Transition {
  switch (happening.kind) {
    case "bytes":
      return state === "receiving" ? to("receiving") : refused;
    case "complete":
      if (partial || state === "failed" || state === "concatenated") return refused;
      return to(state === "receiving" ? "verifying" : state);
    case "verified":
      return state === "verifying" ? to("stored") : refused;
    case "attached":
      return state === "stored" || state === "attached" ? to("attached") : refused;
    case "concatenated":
      return partial && state === "receiving" ? to("concatenated") : refused;
    case "failed":
      if (state === "attached" || state === "concatenated") return refused;
      // The first cause is the one that is told.
      if (state === "failed") return to("failed");
      return { allowed: true, state: "failed", failure: happening.failure };
  }
}

/** Whether nothing more happens to it. */
export function isFinal(state: State): boolean {
  return state === "attached" || state === "failed" || state === "concatenated";
}

/** When an upload expires that something happened to now: after `idleMs`, and never later than `longestMs` after its making. */
export function expiryOf(now: number, createdAt: number, idleMs: number, longestMs: number): number {
  return Math.min(now + idleMs, createdAt + longestMs);
}
