// How a version goes from DEV to PROD, played in a repository of its own, with the programs that the pipelines run.

import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { runCommand, UsageError } from "./commands.ts";
import { environments, folderOf, RefusedError } from "./environment.ts";
import { here, images, sources, tagOf } from "./images.ts";

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;

interface Played extends AsyncDisposable {
  readonly root: string;
  git(...words: string[]): string;
  /** Runs a command of the pipelines' program. */
  run(...words: string[]): { code: number | null; out: string; err: string };
  write(path: string, text: string): void;
  read(path: string): string;
  commit(message: string): void;
}

/** A repository with the overlays of this one, nothing of which was ever deployed. */
async function repository(): Promise<Played> {
  const folder = await temporaryFolder();
  const root = folder.path;
  const git = (...words: string[]) =>
    execFileSync("git", ["-c", "user.name=Test", "-c", "user.email=test@example.com", ...words], {
      cwd: root,
      encoding: "utf8",
    }).trim();
  git("init", "-q", "-b", "main");
  git("config", "user.name", "Test");
  git("config", "user.email", "test@example.com");
  for (const environment of environments)
    cpSync(join(here, folderOf(environment)), join(root, folderOf(environment)), { recursive: true });
  for (const environment of environments) {
    for (const image of images) {
      const file = join(root, folderOf(environment), `${image}.yaml`);
      writeFileSync(file, readFileSync(file, "utf8").replace(/sha256:[0-9a-f]{64}/, digest("0")));
    }
  }
  const played: Played = {
    root,
    git,
    run: (...words) => {
      try {
        return { code: 0, out: runCommand(root, words).join("\n"), err: "" };
      } catch (error) {
        if (error instanceof RefusedError) return { code: 1, out: "", err: error.message };
        if (error instanceof UsageError) return { code: 2, out: "", err: error.message };
        throw error;
      }
    },
    write: (path, text) => {
      mkdirSync(join(root, path, ".."), { recursive: true });
      writeFileSync(join(root, path), text);
    },
    read: (path) => readFileSync(join(root, path), "utf8"),
    commit: (message) => {
      git("add", "--all");
      git("commit", "-q", "-m", message);
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
  played.commit("The beginning");
  return played;
}

const all = (letter: string) => images.map((image) => `${image}=${digest(letter)}`);

/** DEV runs these digests and has passed with them. */
function passedDev(played: Played, letter: string): void {
  played.run("deploy", "dev", ...all(letter));
  played.commit("DEV runs it");
  expect(played.run("pass", "dev", "https://run")).toMatchObject({ code: 0 });
}

describe("a deployment", () => {
  it("writes the digests that it is given, and not another line", async () => {
    await using played = await repository();
    const before = played.read("argocd/workloads/overlays/dev/images/user.yaml");
    expect(played.run("deploy", "dev", `user=${digest("a")}`, `web=${digest("b")}`)).toEqual({
      code: 0,
      out: "user\nweb",
      err: "",
    });
    expect(played.read("argocd/workloads/overlays/dev/images/user.yaml")).toBe(
      before.replace(digest("0"), digest("a")),
    );
    expect(played.git("diff", "--stat")).toMatch(/2 files changed, 2 insertions\(\+\), 2 deletions/);
    expect(played.run("deploy", "dev", `user=${digest("a")}`)).toEqual({ code: 0, out: "", err: "" });
    expect(played.run("digests", "dev").out.split("\n")).toEqual([`user=${digest("a")}`, `web=${digest("b")}`]);
  });

  it.each([
    [["deploy", "dev", "user=latest"], 1],
    [["deploy", "dev", `user=${digest("0")}`], 1],
    [["deploy", "dev", `users=${digest("a")}`], 1],
    [["deploy", "test", `user=${digest("a")}`], 1],
    [["deploy", "dev"], 2],
    [["publish", "dev"], 2],
  ])("is refused where it makes no sense: %j", async (words, code) => {
    await using played = await repository();
    expect(played.run(...words).code).toBe(code);
    expect(played.git("status", "--porcelain")).toBe("");
  });
});

describe("the program", () => {
  it("prints what it did, and ends with 0, 1 for what it refuses, 2 for what it does not understand", async () => {
    await using played = await repository();
    const program = (...words: string[]) => {
      const parameters = ["--no-warnings", join(here, "infra/delivery/run.ts"), ...words, "--root", played.root];
      const { status, stdout, stderr } = spawnSync(process.execPath, parameters, { encoding: "utf8" });
      return [status, stdout.trim(), stderr.split("\n")[0]];
    };
    expect(program("deploy", "dev", `user=${digest("a")}`)).toEqual([0, "user", ""]);
    expect(program("promote", "dev", "stage")).toEqual([1, "", expect.stringContaining("has not passed dev")]);
    expect(program("publish", "dev")).toEqual([2, "", expect.stringContaining("run.ts <command>")]);
  });
});

describe("a promotion", () => {
  it("copies exactly the digests, once", async () => {
    await using played = await repository();
    passedDev(played, "a");
    expect(played.run("promote", "dev", "stage").out.split("\n")).toEqual([...images]);
    for (const image of images) {
      expect(played.read(`argocd/workloads/overlays/stage/images/${image}.yaml`)).toContain(digest("a"));
      expect(played.read(`argocd/workloads/overlays/prod/images/${image}.yaml`)).toContain(digest("0"));
    }
    expect(played.git("diff", "--stat")).toMatch(
      `${images.length} files changed, ${images.length} insertions(+), ${images.length} deletions`,
    );
    played.commit("STAGE runs it");
    expect(played.run("promote", "dev", "stage")).toEqual({ code: 0, out: "", err: "" });
    expect(played.git("status", "--porcelain")).toBe("");
  });

  it("takes nothing along that did not pass, and then nothing at all", async () => {
    await using played = await repository();
    passedDev(played, "a");
    played.run("deploy", "dev", `storage=${digest("b")}`);
    played.commit("DEV runs another storage");
    const refused = played.run("promote", "dev", "stage");
    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.err).toContain(`storage ${digest("b")} has not passed dev: storage/env-DEV ${digest("a")}`);
    expect(played.git("status", "--porcelain")).toBe("");
    played.run("pass", "dev", "https://run/2");
    expect(played.run("promote", "dev", "stage").code).toBe(0);
  });

  it("goes to PROD only from STAGE, and only what passed there", async () => {
    await using played = await repository();
    passedDev(played, "a");
    expect(played.run("promote", "dev", "prod")).toMatchObject({
      code: 1,
      err: expect.stringContaining("not from dev to prod"),
    });
    expect(played.run("promote", "stage", "dev").code).toBe(1);
    played.run("promote", "dev", "stage");
    played.commit("STAGE runs it");
    expect(played.run("promote", "stage", "prod")).toMatchObject({
      code: 1,
      err: expect.stringContaining("user/env-STAGE is not there"),
    });
    played.run("pass", "stage", "https://run/3");
    expect(played.run("promote", "stage", "prod").out.split("\n")).toEqual([...images]);
  });

  it("is refused when who may talk to whom has changed since, which was tried with other calls", async () => {
    await using played = await repository();
    passedDev(played, "a");
    // What is generated for another environment says nothing of what ran in DEV.
    played.write("mesh/gen/prod/document.yaml", "changed: true\n");
    played.commit("A policy of PROD");
    expect(played.run("promote", "dev", "stage").code).toBe(0);
    played.git("checkout", "-q", ".");
    played.write("mesh/gen/dev/document.yaml", "changed: true\n");
    played.commit("Policies from a changed contract");
    expect(played.run("promote", "dev", "stage")).toEqual({
      code: 1,
      out: "",
      err: "mesh/gen/dev/document.yaml has changed since dev passed; dev must pass with it first.",
    });
    expect(played.git("status", "--porcelain")).toBe("");
  });

  it("is refused when what surrounds the images has changed since", async () => {
    await using played = await repository();
    passedDev(played, "a");
    played.write("argocd/workloads/base/user/server.yaml", "kind: Deployment\n");
    played.commit("Another deployment of user");
    expect(played.run("promote", "dev", "stage")).toMatchObject({
      code: 1,
      err: "argocd/workloads/base/user/server.yaml has changed since dev passed; dev must pass with it first.",
    });
    played.run("pass", "dev", "https://run/4");
    expect(played.run("promote", "dev", "stage").code).toBe(0);
  });
});

describe("the way back", () => {
  it("is to the digests from before the last deployment, in one step, and forth again in another", async () => {
    await using played = await repository();
    expect(played.run("back", "prod").code).toBe(1);
    played.run("deploy", "prod", ...all("a"));
    played.commit("PROD runs a");
    expect(played.run("back", "prod")).toMatchObject({
      code: 1,
      err: "Before its last deployment prod did not run user.",
    });
    played.run("deploy", "prod", `user=${digest("b")}`, `web=${digest("b")}`);
    played.commit("PROD runs b");
    played.write("docs/a.md", "something else");
    played.commit("Something else");

    expect(played.run("back", "prod").out).toBe("user\nweb");
    expect(played.run("digests", "prod").out.split("\n")).toEqual(all("a"));
    expect(played.run("back", "prod")).toMatchObject({ code: 1, err: expect.stringContaining("is not committed") });
    played.commit("PROD is back");
    expect(played.run("back", "prod").out).toBe("user\nweb");
    expect(played.run("digests", "prod").out).toContain(`web=${digest("b")}`);
  });
});

describe("what has passed", () => {
  it("has a tag for each image, with its digest and the run, and one for the whole", async () => {
    await using played = await repository();
    passedDev(played, "a");
    const tags = played.git("tag", "--list").split("\n");
    expect(tags).toEqual([...images.map((image) => `${image}/env-DEV`), "env-DEV"].sort());
    expect(played.git("for-each-ref", "--format=%(contents)", "refs/tags/document/env-DEV")).toBe(
      `${digest("a")}\n\nhttps://run`,
    );
  });

  it("moves the tags of what is new, and leaves the others where they were", async () => {
    await using played = await repository();
    passedDev(played, "a");
    const [user, web] = [played.git("rev-parse", "user/env-DEV"), played.git("rev-parse", "web/env-DEV")];
    played.run("deploy", "dev", `user=${digest("b")}`);
    expect(played.run("pass", "dev", "https://run")).toMatchObject({
      code: 1,
      err: expect.stringContaining("is not committed"),
    });
    played.commit("DEV runs another user");
    played.run("pass", "dev", "https://run/2");
    expect(played.git("rev-parse", "user/env-DEV")).not.toBe(user);
    expect(played.git("rev-parse", "web/env-DEV")).toBe(web);
    expect(played.git("rev-parse", "env-DEV^{commit}")).toBe(played.git("rev-parse", "HEAD"));
  });
});

describe("an image", () => {
  it("is made of what the Dockerfile copies for it", () => {
    const stages = readFileSync(join(here, "Dockerfile"), "utf8").split(/^FROM /m);
    const copied = (name: string) => {
      const stage = stages.find((text) => text.split("\n")[0]?.endsWith(` AS ${name}`)) ?? "";
      return [...stage.matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, paths = ""]) => paths.split(" "));
    };
    const inside = (path: string, image: keyof typeof sources) =>
      path.endsWith("package.json") ||
      sources[image].some((source) => path === source || path.startsWith(`${source}/`));
    const base = copied("sources");
    expect(base).toContain("runtime");
    for (const image of images) {
      const own = copied(`sources-${image}`);
      expect([image, own.length > 0]).toEqual([image, true]);
      expect([...base, ...own].filter((path) => !inside(path, image))).toEqual([]);
    }
    expect(images).toEqual(
      [...images].filter((image) => stages.some((text) => text.includes(`AS sources-${image}\n`))),
    );
    const overlay = readFileSync(join(here, folderOf("dev"), "kustomization.yaml"), "utf8");
    for (const image of images) expect(overlay).toContain(`${image}.yaml`);
  });

  it("is built again when its sources change, and not for another's, a test or a text", async () => {
    await using played = await repository();
    for (const path of ["services/user/main.ts", "services/document/main.ts", "runtime/call.ts", "docs/a.md"])
      played.write(path, "1");
    played.commit("Sources");
    const [user, document] = [tagOf("user", played.root), tagOf("document", played.root)];
    expect(user).toMatch(/^main-[0-9a-f]{20}$/);

    played.write("docs/a.md", "2");
    played.write("services/user/main.test.ts", "2");
    played.commit("A text and a test");
    expect(tagOf("user", played.root)).toBe(user);

    played.write("services/user/main.ts", "2");
    played.commit("User");
    expect(tagOf("user", played.root)).not.toBe(user);
    expect(tagOf("document", played.root)).toBe(document);

    played.write("runtime/call.ts", "2");
    played.commit("What all run on");
    expect(tagOf("document", played.root)).not.toBe(document);

    // Back again: it is in the registry already.
    played.git("revert", "--no-edit", "HEAD");
    expect(tagOf("document", played.root)).toBe(document);
  });
});
