// The bounds of buckets, in seconds. Every deadline of the contract is one of them, so that an objective can be asked for
// exactly; a test finds a deadline that is not.

/** Of calls and requests. */
export const callBounds: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 40, 60];

/** Of statements. */
export const statementBounds: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5,
];

/** Of jobs, which may be long. */
export const jobBounds: readonly number[] = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900];
