// The commands of the pipelines: what each word does to a repository.

import { deploy, digestOf, environmentNamed, goBack, pass, promote, RefusedError } from "./environment.ts";
import { type Image, images } from "./images.ts";

/** The words make no sense. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Does what the words say, and answers what is to be printed. Throws RefusedError, with nothing changed, and UsageError. */
export function runCommand(root: string, [command, word, ...rest]: readonly string[]): readonly string[] {
  if (word === undefined) throw new UsageError("No environment is named.");
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
  throw new UsageError(`Not understood: ${command}`);
}
