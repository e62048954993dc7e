// What pipelines ask of an installation, asked of one that runs, and of one that is none.

import { once } from "node:events";
import { createServer } from "node:http";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { runJourney } from "./journey.ts";
import { startWhole } from "./kill.ts";
import { signUp } from "./person.ts";
import { runPreview } from "./preview.ts";
import { runSmoke } from "./smoke.ts";

describe("what pipelines ask of an installation", () => {
  it("finds no fault in one that serves, and does the main job there as people who have accounts", async () => {
    await using folder = await temporaryFolder();
    const whole = await startWhole(folder.path);
    try {
      const [Anna, Ben, Eve] = [
        await signUp(whole.url, "Anna"),
        await signUp(whole.url, "Ben"),
        await signUp(whole.url, "Eve"),
      ];
      const found = await runSmoke({ url: whole.url, portal: false, secret: Anna.secret });
      expect(found.filter(({ fault }) => fault !== undefined)).toEqual([]);
      expect(found.filter(({ leftOut }) => leftOut).map(({ leftOut }) => leftOut)).toEqual([
        "no TLS here",
        "--no-portal",
      ]);

      await runJourney({ url: whole.url, largeBytes: 2_000_000, people: { Anna, Ben, Eve }, clean: true });
      expect((await Anna.workspaces.listWorkspaces({})).workspaces).toEqual([]);

      const wanted: (string | undefined)[] = [];
      await runPreview({ url: whole.url, account: Anna, preview: true, log: (line) => wanted.push(line) });
      expect(wanted).toHaveLength(3);
      expect((await Anna.workspaces.listWorkspaces({})).workspaces).toEqual([]);

      const misses = await runSmoke({ url: whole.url, secret: "s_nobody" });
      expect(misses.filter(({ fault }) => fault !== undefined).map(({ name }) => name)).toEqual([
        "shows the portal",
        "knows who has a secret",
      ]);
    } finally {
      await whole.end("SIGTERM");
    }
  });

  it("finds a fault in everything where something else answers, or nobody", async () => {
    const server = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const url = `http://127.0.0.1:${port}`;
    const sound = (found: Awaited<ReturnType<typeof runSmoke>>) =>
      found.filter(({ fault, leftOut }) => fault === undefined && leftOut === undefined);
    expect(sound(await runSmoke({ url, secret: "s_x" }))).toEqual([]);
    server.closeAllConnections();
    server.close();
    await once(server, "close");
    const away = await runSmoke({ url, secret: "s_x" });
    expect(sound(away)).toEqual([]);
    expect(away.map(({ fault }) => fault).join()).toContain("ECONNREFUSED");
  });
});
