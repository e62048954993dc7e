// What may be said behind `npm start --`.

import { StartError } from "@docket/runtime/errors";

export interface StartArguments {
  /** Whether the portal is built and started. */
  readonly portal: boolean;
  /** Whether a workspace is filled with what a demonstration needs. */
  readonly demo: boolean;
  /** Whether each request's path is printed; a text: which of them. */
  readonly trace: boolean | string;
}

const meanings = {
  "--no-portal": "the API only, without the portal",
  "--demo": "fills a workspace through the public API and prints who can sign in",
  "--trace": "prints the path of each request with times; --trace=ListDocuments or --trace=100ms: of those only",
} as const;

/** Reads them. Throws StartError for one that is not known. */
export function parseArguments(given: readonly string[]): StartArguments {
  const trace = given.find((argument) => argument === "--trace" || argument.startsWith("--trace="));
  const unknown = given.find((argument) => argument !== trace && !(argument in meanings));
  if (unknown !== undefined) {
    const known = Object.entries(meanings).map(([name, meaning]) => `${name} (${meaning})`);
    throw new StartError(`There is no argument ${JSON.stringify(unknown)}; there are ${known.join(" and ")}.`);
  }
  return { portal: !given.includes("--no-portal"), demo: given.includes("--demo"), trace: filterOf(trace) };
}

function filterOf(trace: string | undefined): boolean | string {
  return trace === undefined ? false : trace.slice("--trace=".length) || true;
}
