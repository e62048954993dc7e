// Ends what global_setup.ts started. Both are loaded by the same process, though not always as the same module, so what
// one keeps for the other is kept on the process.

const key = Symbol.for("docket.portal-tests");
const shelf = process as unknown as Record<symbol, AsyncDisposableStack | undefined>;

/** Keeps what is to be ended after the last test. */
export function keepForTeardown(parts: AsyncDisposableStack): void {
  shelf[key] = parts;
}

export default async function teardown(): Promise<void> {
  await shelf[key]?.disposeAsync();
  shelf[key] = undefined;
}
