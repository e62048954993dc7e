// Who signs in to the demonstration. The passwords are known to everybody who reads this: it is for a fresh data folder
// on one's own machine, and nothing else.

/** Somebody of the demonstration. */
export interface DemoPerson {
  readonly displayName: string;
  readonly email: string;
  readonly password: string;
}

/** Runs the office; owns the workspace. */
export const anna: DemoPerson = {
  displayName: "Anna Lindqvist",
  email: "anna@example.com",
  password: "harbour-lights-7",
};

/** Inspects cranes and quays. */
export const ben: DemoPerson = {
  displayName: "Ben Okafor",
  email: "ben@example.com",
  password: "crane-and-quay-9",
};

/** What the workspace is called; it is found by this name. */
export const workspaceName = "Harbour Works";
