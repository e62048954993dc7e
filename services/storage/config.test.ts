import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { blobUrlOf, limitsOf, readConfig } from "./config.ts";

describe("the settings", () => {
  it("need nothing to be set", () => {
    const config = readConfig({ DOCKET_DATA_DIR: "/data" });
    expect(blobUrlOf(config)).toBe("file:///data/blobs");
    expect(config.listen).toEqual({ host: "127.0.0.1", port: 7103 });
    expect(limitsOf(config)).toMatchObject({ maxFileBytes: 50 * 2 ** 30, diskFloorBytes: 2 ** 30 });
  });

  it("take any way to write a folder", () => {
    const of = (BLOB_URL: string) => blobUrlOf(readConfig({ BLOB_URL }));
    expect(of("file:/var/x y")).toBe("file:///var/x%20y");
    expect(of("file:///var/x%20y")).toBe("file:///var/x%20y");
    expect(of("file:./here")).toBe(pathToFileURL(resolve("here")).href);
    expect(of("file:here")).toBe(pathToFileURL(resolve("here")).href);
  });

  it.each([
    ["BLOB_URL", "s3://bucket"],
    ["BLOB_URL", "/var/x"],
    ["BLOB_URL", "file:"],
    ["UPLOAD_MAX_BYTES", "lots"],
    ["WORKSPACE_QUOTA_BYTES", "-1"],
    ["UPLOAD_EXPIRE_AFTER", "soon"],
    ["STORAGE_PORT", "70000"],
  ])("name the variable at fault: %s=%s", (variable, value) => {
    expect(() => readConfig({ [variable]: value })).toThrow(new RegExp(`^${variable} must be `));
  });

  it("keep the file of a piece as long as a reader may need it, and no longer than its contents", () => {
    expect(limitsOf(readConfig({ BLOB_GRACE: "1m" })).pieceGraceMs).toBe(60_000);
    expect(limitsOf(readConfig({})).pieceGraceMs).toBe(3_600_000);
  });
});
