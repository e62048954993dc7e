import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { rpcSource, soundPolicy } from "./testing/protos.ts";

const root = join(import.meta.dirname, "..");

/** A copy of what the generator reads, with one small service, in a folder that goes away. */
function smallCheckout(policy: string | null) {
  const folder = mkdtempSync(join(tmpdir(), "docket-gen-"));
  for (const path of [
    "buf.yaml",
    "buf.gen.yaml",
    "package.json",
    "proto/buf",
    "proto/grpc",
    "proto/docket/policy",
    "proto/docket/error",
  ]) {
    cpSync(join(root, path), join(folder, path), { recursive: true });
  }
  mkdirSync(join(folder, "contracts"));
  for (const name of ["generate.ts", "lint.ts", "lint", "policy.ts", "registry.ts", "reference.ts", "package.json"]) {
    cpSync(join(root, "contracts", name), join(folder, "contracts", name), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const write = (text: string | null) => {
    mkdirSync(join(folder, "proto/docket/user/v1"), { recursive: true });
    writeFileSync(join(folder, "proto/docket/user/v1/thing.proto"), rpcSource({ policy: text }, "docket.user.v1"));
  };
  write(policy);
  return {
    folder,
    write,
    generate: () => spawnSync(process.execPath, ["contracts/generate.ts"], { cwd: folder, encoding: "utf8" }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

describe("npm run gen", () => {
  it("makes types, the list of services and reference pages from proto alone, and changes nothing the second time", () => {
    using checkout = smallCheckout(soundPolicy);
    const first = checkout.generate();
    expect([first.stderr, first.status]).toEqual(["", 0]);
    const services = readFileSync(join(checkout.folder, "contracts/gen/services.ts"), "utf8");
    expect(services).toContain('"docket.user.v1.ThingService/GetThing": ThingService.method.getThing,');
    const page = readFileSync(join(checkout.folder, "docs/reference/docket.user.v1.ThingService.md"), "utf8");
    expect(page).toContain("persons and API keys with `DOCUMENT_VIEW` on the WORKSPACE in `workspace_id`");
    expect(checkout.generate().stdout).toContain("contracts/gen was up to date.");
  });

  it("leaves contracts/gen as it was when a policy is refused, and says which and why", () => {
    using checkout = smallCheckout(soundPolicy);
    checkout.generate();
    const before = readFileSync(join(checkout.folder, "contracts/gen/docket/user/v1/thing_pb.ts"), "utf8");
    checkout.write(null);
    const { status, stderr } = checkout.generate();
    expect(status).toBe(1);
    expect(stderr).toContain("docket/user/v1/thing.proto: docket.user.v1.ThingService/GetThing: has no policy");
    expect(readFileSync(join(checkout.folder, "contracts/gen/docket/user/v1/thing_pb.ts"), "utf8")).toBe(before);
    expect(readdirSync(join(checkout.folder, "contracts")).filter((name) => name.startsWith(".staging"))).toEqual([]);
  });

  it("leaves contracts/gen as it was when a proto does not compile", () => {
    using checkout = smallCheckout("callers: [WORKLOAD_NOBODY]");
    const { status, stderr } = checkout.generate();
    expect(status).toBe(1);
    expect(stderr).toContain("WORKLOAD_NOBODY");
    expect(readdirSync(join(checkout.folder, "contracts"))).not.toContain("gen");
  });
});
