/** Where the time comes from; tests give their own. */
export type Clock = () => Date;

/** The system's clock. */
export const systemClock: Clock = () => new Date();
