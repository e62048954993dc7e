import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { keySecretOf, publicUrlOf, readConfig } from "./config.ts";

describe("the settings", () => {
  it("have defaults that make a laptop's instance, whose links lead to the edge", () => {
    const config = readConfig({});
    expect(config).toMatchObject({ signUp: "open", listen: { host: "127.0.0.1", port: 7101 } });
    expect(publicUrlOf(config)).toBe("http://127.0.0.1:8080");
    expect(publicUrlOf(readConfig({ HOST: "::", PORT: "9000" }))).toBe("http://127.0.0.1:9000");
    expect(publicUrlOf(readConfig({ HOST: "fd00::1" }))).toBe("http://[fd00::1]:8080");
    expect(publicUrlOf(readConfig({ PUBLIC_URL: "https://docket.example.com/" }))).toBe("https://docket.example.com");
    const listening = "https://127.0.0.1:43210";
    expect(publicUrlOf(readConfig({ PORT: "0" }), listening)).toBe(listening);
    expect(publicUrlOf(readConfig({ PUBLIC_URL: "https://docket.example.com/" }), listening)).toBe(
      "https://docket.example.com",
    );
    expect(keySecretOf(config)).toBeUndefined();
  });

  it.each([
    [{ SIGN_UP: "maybe" }, "SIGN_UP"],
    [{ KEY_ENCRYPTION_SECRET: "short" }, "KEY_ENCRYPTION_SECRET"],
    [{ KEY_ENCRYPTION_SECRET_FILE: "/nowhere/at/all" }, "KEY_ENCRYPTION_SECRET_FILE"],
    [{ SESSION_IDLE_TIMEOUT: "30d", SESSION_LIFETIME: "1d" }, "SESSION_IDLE_TIMEOUT"],
    [{ SMTP_URL: "https://mail.example.com" }, "SMTP_URL"],
    [{ SIGNING_KEY_ROTATION: "5m" }, "SIGNING_KEY_ROTATION"],
  ])("that are wrong are named: %j", (env, variable) => {
    expect(() => readConfig(env as Record<string, string>)).toThrow(variable);
  });

  it("take the secret from a file, and show no secret", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "secret");
    await writeFile(file, `${"s".repeat(40)}\n`);
    expect(keySecretOf(readConfig({ KEY_ENCRYPTION_SECRET_FILE: file }))).toBe("s".repeat(40));
    const config = readConfig({
      SMTP_URL: "smtp://user:hunter22@mail.example.com",
      KEY_ENCRYPTION_SECRET: "k".repeat(40),
    });
    expect(JSON.stringify(config)).not.toMatch(/hunter22|kkkk/);
  });
});
