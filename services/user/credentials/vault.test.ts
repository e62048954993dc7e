import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { createVault, hashSecret, loadVaultSecret } from "./vault.ts";

describe("a vault", () => {
  it("opens what it sealed, and nothing that was changed or sealed by another", () => {
    const vault = createVault("a secret of at least thirty-two characters");
    const sealed = vault.seal(Buffer.from("plain"));
    expect(Buffer.from(vault.open(sealed) ?? []).toString()).toBe("plain");
    expect(createVault("another secret").open(sealed)).toBeUndefined();
    sealed[20] = (sealed[20] ?? 0) ^ 1;
    expect(vault.open(sealed)).toBeUndefined();
    expect(vault.open(new Uint8Array())).toBeUndefined();
  });

  it("gives each link a secret of its own, the same again after a restart", () => {
    const secretOf = (kind: "reset" | "confirm", id: string) => createVault("one secret").linkSecret(kind, id);
    expect(secretOf("reset", "a")).toBe(secretOf("reset", "a"));
    expect(new Set([secretOf("reset", "a"), secretOf("reset", "b"), secretOf("confirm", "a")]).size).toBe(3);
    expect(secretOf("reset", "a")).toMatch(/^[\w-]{43}$/);
    expect(hashSecret("x")).toMatch(/^[0-9a-f]{64}$/);
  });

  it("keeps its secret in a file that only its owner reads, made once by whoever comes first", async () => {
    await using folder = await temporaryFolder();
    const secrets = await Promise.all([loadVaultSecret(folder.path), loadVaultSecret(folder.path)]);
    expect(secrets[0]).toBe(secrets[1]);
    const file = join(folder.path, "user-secret.key");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await readFile(file, "utf8")).trim()).toBe(secrets[0]);
    await chmod(file, 0o600);
    await writeFile(file, "short");
    await expect(loadVaultSecret(folder.path)).rejects.toThrow("is damaged");
  });
});
