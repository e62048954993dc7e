// The tutorials are applied, block by block, to a copy of the repository, and what they promise is looked at there.

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { madeFile } from "../../e2e/bytes.ts";
import { startWhole } from "../../e2e/kill.ts";
import { signUp } from "../../e2e/person.ts";
import { upload } from "../../e2e/transfer.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Block {
  readonly info: string;
  readonly text: string;
}

/** A copy of what is in the repository, with its own links between the workspaces and the same packages. */
function copyRepository(to: string): void {
  const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  });
  for (const file of files.split("\n").filter((name) => name !== "")) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    cpSync(join(root, file), join(to, file));
  }
  linkPackages(join(root, "node_modules"), join(to, "node_modules"), to);
  // Versions that one workspace alone has.
  for (const folder of files
    .split("\n")
    .filter((name) => name.endsWith("/package.json"))
    .map(dirname)) {
    const own = join(root, folder, "node_modules");
    if (existsSync(own)) symlinkSync(own, join(to, folder, "node_modules"));
  }
}

function linkPackages(from: string, into: string, copy: string): void {
  mkdirSync(into, { recursive: true });
  for (const name of readdirSync(from)) {
    if (name !== "@docket") {
      symlinkSync(join(from, name), join(into, name));
      continue;
    }
    mkdirSync(join(into, name));
    for (const own of readdirSync(join(from, name))) {
      const folder = existsSync(join(copy, own)) ? own : `services/${own}`;
      symlinkSync(join(copy, folder), join(into, name, own));
    }
  }
}

function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```(\S.*)\n([\s\S]*?)^```$/gm)].map(([, info = "", text = ""]) => ({ info, text }));
}

function apply({ info, text }: Block, folder: string): void {
  const path = info.match(/file=(\S+)/)?.[1];
  if (path !== undefined) {
    const file = join(folder, path);
    writeFileSync(file, inserted(readFileSync(file, "utf8"), info, text));
  } else if (/^sh run$/.test(info)) {
    for (const command of text.trim().split("\n")) run(command, folder);
  }
}

/** Runs a command of the page. What it says on standard output is where compilers complain, so an error holds it. */
function run(command: string, folder: string): void {
  try {
    execFileSync("sh", ["-c", command], { cwd: folder, stdio: "pipe", encoding: "utf8" });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command}: ${(stdout + stderr).slice(-3000)}`, { cause: error });
  }
}

function inserted(source: string, info: string, text: string): string {
  if (/at=end/.test(info)) return source + text;
  const [, place, anchor = ""] = info.match(/(before|after)="(.*)"$/) ?? [];
  const at = source.indexOf(anchor);
  if (anchor === "" || at < 0) throw new Error(`there is no place ${JSON.stringify(anchor)} in the file of ${info}`);
  const cut = place === "before" ? at : at + anchor.length + 1;
  return source.slice(0, cut) + text + source.slice(cut);
}

describe("the tutorial on adding an RPC", () => {
  it("leads to an RPC that the edge serves, with no edit but its own", async () => {
    await using copy = await temporaryFolder();
    copyRepository(copy.path);
    const page = readFileSync(join(root, "docs/tutorials/add-an-rpc.md"), "utf8");
    for (const block of blocksOf(page)) apply(block, copy.path);
    expect(readFileSync(join(copy.path, "docs/reference/docket.document.v1.VersionService.md"), "utf8")).toMatch(
      /CompareVersions/,
    );

    await using data = await temporaryFolder();
    const docket = await startWhole(data.path, {}, join(copy.path, "e2e/start.js"));
    try {
      const anna = await signUp(docket.url, "Anna");
      const { workspace } = await anna.workspaces.createWorkspace({ name: "Tutorial" });
      const workspaceId = workspace?.id ?? "";
      const first = await upload(anna, { workspaceId, name: "a.txt", file: madeFile("a", 100) });
      const { document } = await anna.documents.createDocument({
        parent: { case: "workspaceId", value: workspaceId },
        uploadId: first,
      });
      const documentId = document?.id ?? "";
      const second = await upload(anna, { workspaceId, name: "b.txt", file: madeFile("b", 150) });
      await anna.versions.createVersion({ documentId, uploadId: second });
      const compare = async (body: object) => {
        const response = await anna.http("/docket.document.v1.VersionService/CompareVersions", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        });
        return { status: response.status, body: await response.json() };
      };
      expect(await compare({ documentId, number: 1, otherNumber: 2 })).toEqual({
        status: 200,
        body: { sizeDifference: "50" },
      });
      expect(await compare({ documentId, number: 2, otherNumber: 2 })).toEqual({ status: 200, body: { same: true } });
      expect((await compare({ documentId, number: 0, otherNumber: 2 })).status).toBe(400);
    } finally {
      await docket.end("SIGTERM");
    }
  }, 180_000);
});
