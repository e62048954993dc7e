import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { ConfigError, readSettings } from "../config.ts";
import { temporaryFolder } from "../testing/temporary_folder.ts";
import { redisLocation } from "./location.ts";
import { sealOf } from "./sealing.ts";
import { redisSettings } from "./settings.ts";

const locate = (env: Record<string, string>) => redisLocation(readSettings(redisSettings, env));

/** The sentence of a refusal. */
function refusal(env: Record<string, string>): string {
  try {
    locate(env);
  } catch (error) {
    if (error instanceof ConfigError) return `${error.variable} ${error.message}`;
    throw error;
  }
  throw new Error("not refused");
}

describe("REDIS_URL", () => {
  it("unset means no Redis", () => {
    expect(locate({})).toBeUndefined();
  });

  it("says host, port, account and database", () => {
    expect(locate({ REDIS_URL: "rediss://docket:p%40ss@cache.example.com:6390/3" })).toEqual({
      host: "cache.example.com",
      port: 6390,
      username: "docket",
      password: "p@ss",
      database: 3,
      tls: { rejectUnauthorized: true, minVersion: "TLSv1.2", servername: "cache.example.com" },
    });
  });

  it.each(["redis://localhost", "redis://127.0.0.9:1/0", "redis://[::1]/", "redis://:secret@localhost"])(
    "may be plain text on this machine: %s",
    (url) => expect(locate({ REDIS_URL: url })).toMatchObject({ tls: undefined }),
  );

  it.each([
    "redis://cache.example.com",
    "redis://10.0.0.1",
    "redis://[fd00::1]",
    // Names that only look like this machine.
    "redis://127.0.0.1.example.com",
    "redis://localhost.example.com",
  ])("is refused in plain text on a network: %s", (url) => {
    const said = refusal({ REDIS_URL: url });
    expect(said).toMatch(/^REDIS_URL REDIS_URL would send sessions to .+ in plain text: .*REDIS_ALLOW_PLAINTEXT=true/);
    expect(locate({ REDIS_URL: url, REDIS_ALLOW_PLAINTEXT: "true" })).toMatchObject({ tls: undefined });
  });

  it.each(["redis://localhost/zero", "redis://localhost?db=1", "redis://", "redis:///1"])(
    "that is none is refused without showing it: %s",
    (url) => expect(refusal({ REDIS_URL: url })).toMatch(/^REDIS_URL REDIS_URL must be /),
  );

  it("never shows its password", () => {
    expect(refusal({ REDIS_URL: "redis://:hunter2@cache.example.com" })).not.toContain("hunter2");
    expect(refusal({ REDIS_URL: "http://:hunter2@cache.example.com" })).not.toContain("hunter2");
  });
});

describe("REDIS_CA", () => {
  it("must be a readable certificate, where it is used", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "ca.pem");
    const env = { REDIS_URL: "rediss://localhost", REDIS_CA: file };
    expect(refusal(env)).toBe("REDIS_CA REDIS_CA names a file that cannot be read (ENOENT).");
    writeFileSync(file, "no certificate");
    expect(refusal(env)).toBe("REDIS_CA REDIS_CA names a file without a certificate in PEM.");
    writeFileSync(file, "-----BEGIN CERTIFICATE-----\n");
    expect(locate(env)?.tls?.ca).toBe("-----BEGIN CERTIFICATE-----\n");
    expect(refusal({ ...env, REDIS_URL: "redis://localhost" })).toMatch(/^REDIS_CA REDIS_CA is set, but/);
  });
});

describe("a sealed copy", () => {
  it("is opened with its secret alone, and says nothing of it", () => {
    const mine = sealOf("a".repeat(43));
    const sealed = mine.seal("token");
    expect(sealOf("a".repeat(43)).open(sealed)).toBe("token");
    expect(sealOf("b".repeat(43)).open(sealed)).toBeUndefined();
    expect(sealOf("a".repeat(43)).name).toBe(mine.name);
    expect(mine.name).not.toBe(sealOf("b".repeat(43)).name);
  });

  it("that was changed or cut is none", () => {
    const { seal, open } = sealOf("a".repeat(43));
    const bytes = Buffer.from(seal("token"), "base64url");
    for (const at of bytes.keys()) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(open(changed.toString("base64url"))).toBeUndefined();
      expect(open(bytes.subarray(0, at).toString("base64url"))).toBeUndefined();
    }
    expect(open(bytes.toString("base64url"))).toBe("token");
  });

  it("is never the same twice", () => {
    const { seal } = sealOf("a".repeat(43));
    expect(seal("token")).not.toBe(seal("token"));
  });
});
