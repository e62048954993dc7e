import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { blobPlaceOf, blobUrlOf, limitsOf, readConfig } from "./config.ts";

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
    ["BLOB_URL", "/var/x"],
    ["BLOB_URL", "file:"],
    ["UPLOAD_MAX_BYTES", "lots"],
    ["WORKSPACE_QUOTA_BYTES", "-1"],
    ["UPLOAD_EXPIRE_AFTER", "soon"],
    ["STORAGE_PORT", "70000"],
  ])("name the variable at fault: %s=%s", (variable, value) => {
    expect(() => readConfig({ [variable]: value })).toThrow(new RegExp(`^${variable} must be `));
  });

  it("take a bucket, with credentials beside it and never in it", () => {
    const url = "s3://files/docket?region=eu-central-1&sse=aws:kms&kms_key_id=alias/files";
    expect(blobPlaceOf(readConfig({ BLOB_URL: url }))).not.toHaveProperty("credentials");
    const config = readConfig({ BLOB_URL: url, AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "a secret" });
    expect(blobPlaceOf(config)).toMatchObject({ url, credentials: { accessKeyId: "id", secretAccessKey: "a secret" } });
    expect(JSON.stringify(config)).not.toContain("a secret");
    expect(() => readConfig({ BLOB_URL: url, AWS_ACCESS_KEY_ID: "id" })).toThrow(/AWS_SECRET_ACCESS_KEY/);
  });

  it.each([
    ["s3://key:secret@files", /no credentials/],
    ["s3://Files_", /names no bucket/],
    ["s3://files?regio=x", /does not know regio/],
    ["s3://files?endpoint=http://s3.example.com", /BLOB_ALLOW_PLAINTEXT/],
    ["s3://files?endpoint=https://a:b@s3.example.com", /no credentials in its endpoint/],
    ["s3://files?endpoint=nowhere", /an https URL/],
    ["s3://files?path_style=perhaps", /path_style/],
    ["s3://files?sse=rot13", /sse=AES256/],
    ["s3://files?sse=AES256&kms_key_id=x", /sse=aws:kms only/],
  ])("refuse %s", (url, why) => {
    expect(() => readConfig({ BLOB_URL: url })).toThrow(/^BLOB_URL /);
    expect(() => readConfig({ BLOB_URL: url })).toThrow(why);
    expect(() => readConfig({ BLOB_URL: url })).not.toThrow(/secret@|a:b@/);
  });

  it("let endpoints be plain http on this machine, and elsewhere where that is said", () => {
    for (const host of ["localhost", "127.0.0.1:9000", "[::1]:9000"]) {
      readConfig({ BLOB_URL: `s3://files?endpoint=http://${host}` });
    }
    readConfig({ BLOB_URL: "s3://files?endpoint=http://s3.example.com", BLOB_ALLOW_PLAINTEXT: "true" });
  });

  it("keep the file of a piece as long as a reader may need it, and no longer than its contents", () => {
    expect(limitsOf(readConfig({ BLOB_GRACE: "1m" })).pieceGraceMs).toBe(60_000);
    expect(limitsOf(readConfig({})).pieceGraceMs).toBe(3_600_000);
  });
});
