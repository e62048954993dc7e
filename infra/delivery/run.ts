// What pipelines do to this repository, by command: no workflow knows more of it than these words.

import { parseArgs } from "node:util";
import { deploy, digestOf, environmentNamed, goBack, pass, promote, RefusedError } from "./environment.ts";
import { here, type Image, images } from "./images.ts";

const usage = `node infra/delivery/run.ts <command> [--root <folder>]
  digests <environment>                       image=digest, a line for each
  deploy <environment> <image>=<digest> …     writes these digests; prints the images that are others now
  promote <from> <to>                         copies the digests of an environment that has passed to the next
  back <environment>                          writes the digests from before its last deployment
  pass <environment> <url of the run>         tags what an environment runs as passed; prints the tags, to be pushed by force
Exit codes: 0 done; 1 refused, with nothing changed; 2 not understood.`;

try {
  const { values, positionals } = parseArgs({
    options: { root: { type: "string", default: here } },
    allowPositionals: true,
  });
  for (const line of run(values.root, positionals)) process.stdout.write(`${line}\n`);
} catch (error) {
  const refused = error instanceof RefusedError;
  process.stderr.write(`${refused ? (error as Error).message : usage}\n`);
  process.exitCode = refused ? 1 : 2;
}

function run(root: string, [command, word, ...rest]: readonly string[]): readonly string[] {
  const environment = environmentNamed(word);
  if (command === "digests" && rest.length === 0) {
    return images.flatMap((image) => {
      const digest = digestOf(root, environment, image);
      return digest === undefined ? [] : [`${image}=${digest}`];
    });
  }
  if (command === "deploy" && rest.length > 0) {
    const given = rest.map((pair) => {
      const [image = "", digest = ""] = pair.split("=");
      if (!images.includes(image as Image)) throw new RefusedError(`There is no image ${JSON.stringify(image)}.`);
      return [image as Image, digest] as const;
    });
    return given.filter(([image, digest]) => deploy(root, environment, image, digest)).map(([image]) => image);
  }
  if (command === "promote" && rest.length === 1) return promote(root, environment, environmentNamed(rest[0]));
  if (command === "back" && rest.length === 0) return goBack(root, environment);
  if (command === "pass" && rest.length === 1) return pass(root, environment, rest[0] ?? "");
  throw new Error("not understood");
}
