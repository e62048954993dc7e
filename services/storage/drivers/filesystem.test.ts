import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { describeDriver } from "./conformance.ts";
import { openFilesystem } from "./filesystem.ts";

async function openPlace() {
  const folder = await mkdtemp(join(tmpdir(), "docket-pieces-"));
  const driver = await openFilesystem(folder);
  return {
    driver,
    folder,
    async reopen() {
      await driver[Symbol.asyncDispose]();
      return await openFilesystem(folder);
    },
    async [Symbol.asyncDispose]() {
      await driver[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

describeDriver("filesystem", openPlace);

describe("a folder that cannot be used", () => {
  it("is refused in one sentence that names it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "docket-pieces-"));
    const file = join(folder, "file");
    await writeFile(file, "");
    await expect(openFilesystem(file)).rejects.toMatchObject({
      name: "StartError",
      message: expect.stringContaining(file),
    });
    await rm(folder, { recursive: true });
  });

  it("is refused while another process, or this one, has it", async () => {
    await using place = await openPlace();
    await expect(openFilesystem(place.folder)).rejects.toMatchObject({
      name: "StartError",
      message: expect.stringContaining("already runs"),
    });
  });
});
