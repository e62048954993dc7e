// Which Node runs Docket, said before anything else is loaded. Plain JavaScript, since an old Node reads nothing else:
// `node --import ./runtime/node_version.mjs …` ends there with one sentence.

/** The oldest Node that runs Docket: it strips types, and has the HTTP/2 fixes of 2026. */
export const oldestNode = "24.18.1";

/**
 * What is wrong with a version of Node, in one sentence; undefined when it will do.
 * @param {string} version as in process.version
 * @returns {string | undefined}
 */
export function nodeVersionFault(version) {
  const [found, needed] = [version.replace(/^v/, ""), oldestNode].map((text) =>
    text.split(".").map((part) => parseInt(part, 10)),
  );
  const difference = [0, 1, 2].map((part) => (found[part] || 0) - needed[part]).find((part) => part !== 0) || 0;
  if (difference >= 0) return undefined;
  const mac = process.platform === "darwin";
  const remedy = mac
    ? "install it with `brew install node@24` and `brew link --overwrite node@24`"
    : "after `npm ci` start it with `npm start` or `npx node …`, which run the Node that comes with the packages (unless they were installed with `--omit=optional`), or install it from https://nodejs.org";
  return `Docket needs Node ${oldestNode} or newer and was started with ${version}: ${remedy}.`;
}

const fault = nodeVersionFault(process.version);
if (fault !== undefined) {
  process.stderr.write(`${fault}\n`);
  process.exit(1);
}
