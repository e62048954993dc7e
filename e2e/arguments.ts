// What may be said behind `npm start --`.

import { StartError } from "@docket/runtime/errors";

export interface StartArguments {
  /** Whether the portal is built and started. */
  readonly portal: boolean;
  /** Whether a workspace is filled with what a demonstration needs. */
  readonly demo: boolean;
}

const meanings = {
  "--no-portal": "the API only, without the portal",
  "--demo": "fills a workspace through the public API and prints who can sign in",
} as const;

/** Reads them. Throws StartError for one that is not known. */
export function parseArguments(given: readonly string[]): StartArguments {
  const unknown = given.find((argument) => !(argument in meanings));
  if (unknown !== undefined) {
    const known = Object.entries(meanings).map(([name, meaning]) => `${name} (${meaning})`);
    throw new StartError(`There is no argument ${JSON.stringify(unknown)}; there are ${known.join(" and ")}.`);
  }
  return { portal: !given.includes("--no-portal"), demo: given.includes("--demo") };
}
