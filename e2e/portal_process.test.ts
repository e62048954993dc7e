// The portal's process beside the mesh, as `npm start` runs it; a hand-made build stands for the real one.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createLogger } from "@docket/runtime/logger";
import { eventually } from "@docket/runtime/testing/eventually";
import { runScript } from "@docket/runtime/testing/child";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { startMesh } from "./mesh.ts";
import { startProcesses } from "./processes.ts";

/** A page that asks the edge who may sign in, as the visitor. */
const build = `
export async function listener(request, response) {
  const answer = await request.edgeFetch("http://edge/docket.user.v1.SessionService/GetSignInOptions", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ pid: process.pid, host: request.headers.host, status: answer.status, says: await answer.json() }));
}
`;

async function makeBuild(folder: string): Promise<string> {
  const output = join(folder, "build");
  await mkdir(join(output, "server"), { recursive: true });
  await writeFile(join(output, "server", "index.mjs"), build);
  return output;
}

const logger = createLogger({ level: "silent" });

function settingsOf(folder: string): Record<string, string> {
  return { DOCKET_DATA_DIR: join(folder, "data"), PORT: "0", LOG_LEVEL: "silent" };
}

interface Page {
  readonly pid: number;
  readonly host: string;
  readonly status: number;
  readonly says: object;
}

async function pageOf(url: string): Promise<Page> {
  const answer = await fetch(`${url}/`);
  if (!answer.ok) throw new Error(`The page answers ${answer.status}.`);
  return (await answer.json()) as Page;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("the portal beside the mesh", () => {
  it("shows pages made with the visitor's own calls, comes back when it is killed, and ends with the mesh", async () => {
    await using folder = await temporaryFolder();
    const output = await makeBuild(folder.path);
    await using mesh = await startMesh(settingsOf(folder.path), { logger, portal: { build: async () => output } });
    const first = await pageOf(mesh.url);
    expect(first).toMatchObject({ host: new URL(mesh.url).host, status: 200, pid: mesh.portal?.pid });
    expect(first.says).toMatchObject({ firstAccount: true });

    process.kill(first.pid, "SIGKILL");
    const second = await eventually(() => pageOf(mesh.url));
    expect(second.pid).not.toBe(first.pid);
    // The API never needs it.
    expect((await fetch(`${mesh.url}/readyz`)).status).toBe(200);

    await mesh[Symbol.asyncDispose]();
    expect(isAlive(second.pid)).toBe(false);
  });

  it("fails the start when it does not come up", async () => {
    await using folder = await temporaryFolder();
    const started = startMesh(settingsOf(folder.path), { logger, portal: { build: async () => folder.path } });
    await expect(started).rejects.toMatchObject({ name: "StartError", message: expect.stringContaining("portal") });
  });

  it("ends when its parent is killed", async () => {
    await using folder = await temporaryFolder();
    const output = await makeBuild(folder.path);
    const settings = { ...settingsOf(folder.path) };
    await using parent = await runScript(`
      const { startMesh } = await import(${JSON.stringify(new URL("mesh.ts", import.meta.url).href)});
      const mesh = await startMesh(${JSON.stringify(settings)}, { portal: { build: async () => ${JSON.stringify(output)} } });
      console.log("portal " + mesh.portal.pid + ".");
    `);
    await eventually(() => parent.output.stdout.includes("portal "), { timeoutMs: 90_000 });
    const pid = Number(/portal (\d+)\./.exec(parent.output.stdout)?.[1]);
    expect(isAlive(pid)).toBe(true);
    parent.process.kill("SIGKILL");
    await eventually(() => !isAlive(pid));
  }, 120_000);

  it("is one more process where each service is its own", async () => {
    await using folder = await temporaryFolder();
    const output = await makeBuild(folder.path);
    await using mesh = await startProcesses(join(folder.path, "data"), {}, { portal: { build: async () => output } });
    const page = await pageOf(mesh.url);
    expect(page).toMatchObject({ status: 200, pid: mesh.processes.get("web")?.child.pid });
    await mesh.restart("web");
    expect((await pageOf(mesh.url)).pid).not.toBe(page.pid);
  });
});
