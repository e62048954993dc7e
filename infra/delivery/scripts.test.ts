// The pipelines' scripts, run as a job runs them: in a clone, against an origin that others push to as well.

import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { folderOf } from "./environment.ts";
import { here } from "./images.ts";

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const deployed = join(folderOf("dev"), "user.yaml");

interface Job extends AsyncDisposable {
  readonly folder: string;
  /** Runs git in one of the folders: origin, job, colleague. */
  git(where: string, ...words: string[]): string;
  /** Runs a script in the job's clone. */
  script(name: string, ...words: string[]): { code: number | null; out: string; err: string };
  deploy(where: string, letter: string): void;
  /** Puts a program in front of those of the machine. */
  program(name: string, text: string): void;
}

/** An origin with this repository's delivery and overlays, a job's clone of it, and a colleague's. */
async function job(): Promise<Job> {
  const folder = await temporaryFolder();
  const at = (where: string) => join(folder.path, where);
  const git = (where: string, ...words: string[]) =>
    execFileSync("git", words, { cwd: at(where), encoding: "utf8", stdio: "pipe" }).trim();
  for (const where of ["origin", "first", "programs"]) mkdirSync(at(where));
  git("origin", "init", "-q", "--bare", "-b", "main");
  for (const path of [
    "infra/delivery",
    "infra/platform.ts",
    "argocd/platform",
    ...["dev", "stage", "prod"].map((name) => folderOf(name as "dev")),
  ]) {
    cpSync(join(here, path), join(at("first"), path), { recursive: true });
  }
  writeFileSync(join(at("first"), "package.json"), '{"type": "module"}\n');
  git("first", "init", "-q", "-b", "main");
  const identity = (where: string) => {
    git(where, "config", "user.name", "Colleague");
    git(where, "config", "user.email", "colleague@example.com");
  };
  identity("first");
  git("first", "add", "--all");
  git("first", "commit", "-q", "-m", "The beginning");
  git("first", "push", "-q", at("origin"), "main");
  for (const where of ["job", "colleague"])
    execFileSync("git", ["clone", "-q", at("origin"), at(where)], { stdio: "pipe" });
  identity("colleague");
  const path = `${at("programs")}:${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`;
  return {
    folder: folder.path,
    git,
    script: (name, ...words) => {
      const { status, stdout, stderr } = spawnSync(join(at("job"), "infra/delivery", name), words, {
        env: { PATH: path, HOME: folder.path },
        encoding: "utf8",
      });
      return { code: status, out: stdout.trim(), err: stderr.trim() };
    },
    deploy: (where, letter) => {
      const file = join(at(where), deployed);
      writeFileSync(file, readFileSync(file, "utf8").replace(/sha256:[0-9a-f]{64}/, digest(letter)));
    },
    program: (name, text) => {
      writeFileSync(join(at("programs"), name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(at("programs"), name), 0o755);
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

describe("commit.sh", () => {
  it("pushes what a job wrote, though somebody else was quicker, and does nothing a second time", async () => {
    await using played = await job();
    played.deploy("job", "a");
    writeFileSync(join(played.folder, "colleague/docs.md"), "meanwhile\n");
    played.git("colleague", "add", "--all");
    played.git("colleague", "commit", "-q", "-m", "Meanwhile");
    played.git("colleague", "push", "-q");

    expect(played.script("commit.sh", "dev", "DEV runs a")).toMatchObject({ code: 0 });
    expect(played.git("origin", "log", "--format=%an: %s", "-2")).toBe(
      "Docket's pipeline: DEV runs a\nColleague: Meanwhile",
    );
    expect(played.git("origin", "show", `main:${deployed}`)).toContain(digest("a"));
    expect(played.script("commit.sh", "dev", "DEV runs a")).toMatchObject({ code: 0, out: "dev runs this already." });
    expect(played.git("origin", "rev-list", "--count", "main")).toBe("3");
  });

  it("takes the digests of its environment alone", async () => {
    await using played = await job();
    played.deploy("job", "a");
    writeFileSync(join(played.folder, "job/stray.txt"), "left by a build\n");
    played.script("commit.sh", "stage", "STAGE runs nothing new");
    expect(played.git("origin", "rev-list", "--count", "main")).toBe("1");
    played.script("commit.sh", "dev", "DEV runs a");
    expect(played.git("origin", "show", "--name-only", "--format=", "main")).toBe(deployed);
  });
});

describe("tag.sh", () => {
  it("moves the tags of the origin to what passed", async () => {
    await using played = await job();
    for (const letter of ["a", "b"]) {
      played.deploy("job", letter);
      played.script("commit.sh", "dev", `DEV runs ${letter}`);
      expect(played.script("tag.sh", "dev", "https://run")).toMatchObject({
        code: 0,
        out: expect.stringContaining("user/env-DEV"),
      });
      expect(played.git("origin", "for-each-ref", "--format=%(contents:subject)", "refs/tags/user/env-DEV")).toBe(
        digest(letter),
      );
      expect(played.git("origin", "rev-parse", "env-DEV^{commit}")).toBe(played.git("origin", "rev-parse", "main"));
    }
  });

  it("moves all tags or none: half of them would say of some images that they passed", async () => {
    await using played = await job();
    played.deploy("job", "a");
    played.script("commit.sh", "dev", "DEV runs a");
    const hook = join(played.git("origin", "rev-parse", "--absolute-git-dir"), "hooks", "update");
    writeFileSync(hook, '#!/bin/sh\n[ "$1" != refs/tags/env-DEV ]\n', { mode: 0o755 });
    expect(played.script("tag.sh", "dev", "https://run").code).toBe(1);
    expect(played.git("origin", "tag", "--list")).toBe("");
  });

  it("ends with a fault, and no tag, when what is there was not committed", async () => {
    await using played = await job();
    played.deploy("job", "a");
    expect(played.script("tag.sh", "dev", "https://run")).toMatchObject({
      code: 1,
      err: expect.stringContaining("is not committed"),
    });
    expect(played.git("origin", "tag", "--list")).toBe("");
  });
});

describe("digest.sh", () => {
  it("tells an image that is not there from a registry that cannot be asked", async () => {
    await using played = await job();
    played.program("aws", `echo ${digest("a")}`);
    expect(played.script("digest.sh", "user", "main-1")).toEqual({ code: 0, out: digest("a"), err: "" });
    played.program(
      "aws",
      "echo 'An error occurred (ImageNotFoundException) when calling DescribeImages' >&2; exit 254",
    );
    expect(played.script("digest.sh", "user", "main-1")).toEqual({ code: 0, out: "", err: "" });
    played.program("aws", "echo 'An error occurred (ExpiredTokenException)' >&2; exit 254");
    expect(played.script("digest.sh", "user", "main-1")).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringContaining("ExpiredToken"),
    });
  });
});

describe("build.sh", () => {
  it("builds and signs what is not there; builds nothing that is, and signs it where that was cut", async () => {
    await using played = await job();
    const note = (name: string) => `echo "${name} $*" >> '${join(played.folder, "calls")}'`;
    const calls = () => readFileSync(join(played.folder, "calls"), "utf8").split("\n").filter(Boolean);
    played.program("aws", "echo ImageNotFoundException >&2; exit 254");
    played.program(
      "docker",
      `${note("docker")}\nwhile [ $# -gt 0 ]; do [ "$1" = --metadata-file ] && echo '{"containerimage.digest": "${digest("c")}"}' > "$2"; shift; done`,
    );
    played.program("cosign", `${note("cosign")}\n[ "$1" = sign ]`);
    expect(played.script("build.sh", "user", "main-1")).toMatchObject({ code: 0, out: digest("c") });
    const [built, verified, signed] = calls();
    expect(built).toMatch(
      /^docker buildx build \. .*--build-arg SERVICE=user .*--sbom=true --provenance=mode=max .*docket\/user:main-1 --push/,
    );
    expect(verified).toMatch(
      /^cosign verify .*--certificate-identity https:\/\/github\.com\/\S+\/\.github\/workflows\/main\.yml@refs\/heads\/main/,
    );
    expect(signed).toMatch(new RegExp(`^cosign sign --yes .*/docket/user@${digest("c")}$`));

    played.program("aws", `echo ${digest("d")}`);
    expect(played.script("build.sh", "user", "main-1")).toMatchObject({ code: 0, out: digest("d") });
    expect(
      calls()
        .slice(3)
        .map((call) => call.split(" ").slice(0, 2).join(" ")),
    ).toEqual(["cosign verify", "cosign sign"]);

    played.program("cosign", note("cosign"));
    played.script("build.sh", "user", "main-1");
    expect(
      calls()
        .slice(5)
        .map((call) => call.split(" ").slice(0, 2).join(" ")),
    ).toEqual(["cosign verify"]);
  });
});
