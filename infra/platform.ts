// What argocd/platform/platform.yaml says: the one file with account, region, domain and repository. Infrastructure and
// pipelines read it here, before anything is installed: so it is read without a YAML parser, and only as it is written.
//
//   node infra/platform.ts          prints name=value lines, for $GITHUB_OUTPUT

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface Platform {
  readonly account: string;
  readonly region: string;
  /** PROD's name; the others stand below it. */
  readonly domain: string;
  /** owner/name at GitHub. */
  readonly repository: string;
}

const file = fileURLToPath(new URL("../argocd/platform/platform.yaml", import.meta.url));

/** Reads it. Throws where a value is missing. */
export function readPlatform(text = readFileSync(file, "utf8")): Platform {
  const value = (name: keyof Platform) => {
    const found = text.match(new RegExp(`^  ${name}: "?([^"\\s#]+)"?\\s*$`, "m"))?.[1];
    if (found === undefined) throw new Error(`argocd/platform/platform.yaml does not say ${name}.`);
    return found;
  };
  // The repository may stand there as Argo CD wants it, with https:// and .git.
  const repository = value("repository")
    .replace(/^https:\/\/[^/]+\//, "")
    .replace(/\.git$/, "");
  return { account: value("account"), region: value("region"), domain: value("domain"), repository };
}

/** Where images are pushed to and pulled from. */
export function registryOf({ account, region }: Platform): string {
  return `${account}.dkr.ecr.${region}.amazonaws.com`;
}

/** The name under which people find an environment. */
export function hostOf({ domain }: Platform, environment: string): string {
  return environment === "prod" ? domain : `${environment}.${domain}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const platform = readPlatform();
  const lines = { ...platform, registry: registryOf(platform) };
  for (const [name, value] of Object.entries(lines)) process.stdout.write(`${name}=${value}\n`);
}
