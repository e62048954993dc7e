// An RPC that is added to a proto gets its rule, its route, its place at the edge and its cells from its policy, with no other
// edit; without a policy it gets nothing at all. Tried on a copy of the repository's contracts.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { describe, expect, it } from "@jest/globals";
import { rpcSource, soundPolicy } from "../../contracts/testing/protos.ts";

const root = join(import.meta.dirname, "..", "..");
const proto = "proto/docket/document/v1/version_service.proto";
const name = "docket.document.v1.VersionService/PraiseVersion";

/** The contracts and the plugin in a folder of their own, with the same packages. */
function copyContracts(to: string): void {
  const paths = [
    "buf.yaml",
    "buf.gen.yaml",
    "buf.gen.mesh.yaml",
    "package.json",
    "proto",
    "contracts",
    "mesh/package.json",
  ];
  for (const path of [...paths, "mesh/src", "mesh/gen", "mesh/base", "mesh/control_plane"]) {
    const filter = (from: string) => !/[/\\](node_modules|\.staging-\d+)([/\\]|$)/.test(from.slice(root.length));
    cpSync(join(root, path), join(to, path), { recursive: true, filter });
  }
  mkdirSync(join(to, "node_modules/@docket"), { recursive: true });
  for (const own of ["contracts", "mesh"]) symlinkSync(join(to, own), join(to, "node_modules/@docket", own));
  for (const other of readdirSync(join(root, "node_modules")).filter((entry) => entry !== "@docket")) {
    symlinkSync(join(root, "node_modules", other), join(to, "node_modules", other));
  }
}

function addRpc(to: string, policy: string): void {
  const file = join(to, proto);
  const source = readFileSync(join(root, proto), "utf8");
  const rpc = `service VersionService {
  // Praises a version.
  rpc PraiseVersion(PraiseVersionRequest) returns (PraiseVersionResponse) {
    option idempotency_level = IDEMPOTENT;
    ${policy}
  }
`;
  const messages = `
// What is praised.
message PraiseVersionRequest {
  // The document.
  string document_id = 1 [
    (buf.validate.field).string.uuid = true,
    (docket.policy.v1.scope) = {kind: RESOURCE_KIND_DOCUMENT}
  ];
}

// Nothing.
message PraiseVersionResponse {}
`;
  writeFileSync(file, source.replace("service VersionService {\n", rpc) + messages);
}

function run(folder: string, ...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: folder, encoding: "utf8" });
  return { status, stdout, stderr };
}

/** What the copy's own registry and matrix say, in a process of its own. */
function seen(folder: string): { edge: boolean; outcomes: Record<string, number>; agree: boolean } {
  writeFileSync(
    join(folder, "mesh/look.ts"),
    `import { rpcNameOf } from "@docket/contracts/policy";
import { edgeRpcs } from "@docket/contracts/registry";
import { cells, decideByContract } from "./src/cells.ts";
import { Explainer } from "./src/explain.ts";
const explainer = new Explainer();
const own = cells("dev", ["prod"]).filter(({ method }) => rpcNameOf(method) === "${name}");
const outcomes: Record<string, number> = {};
for (const cell of own) outcomes[decideByContract(cell)] = (outcomes[decideByContract(cell)] ?? 0) + 1;
const agree = own.every((cell) => explainer.explain(cell).outcome === decideByContract(cell));
console.log(JSON.stringify({ edge: edgeRpcs().some((rpc) => rpc.name === ("${name}" as string)), outcomes, agree }));
`,
  );
  const { stdout, stderr } = run(folder, "mesh/look.ts");
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
}

describe("a new RPC", () => {
  it("without a policy fails generation, and nothing changes", async () => {
    await using copy = await temporaryFolder();
    copyContracts(copy.path);
    addRpc(copy.path, "");
    const { status, stderr } = run(copy.path, "contracts/generate.ts");
    expect(status).toBe(1);
    expect(stderr).toContain(`${name}: has no policy`);
    for (const path of ["mesh/gen/dev/document.yaml", "mesh/gen/call-graph.md", "contracts/gen/services.ts"]) {
      expect(readFileSync(join(copy.path, path), "utf8")).toBe(readFileSync(join(root, path), "utf8"));
    }
  });

  it("with a policy has its rule, route, place at the edge and cells, and the access matrix asks for it by type", async () => {
    await using copy = await temporaryFolder();
    copyContracts(copy.path);
    expect(seen(copy.path)).toEqual({ edge: false, outcomes: {}, agree: true });
    addRpc(
      copy.path,
      `option (docket.policy.v1.policy) = {
      callers: [WORKLOAD_GATEWAY]
      permission: PERMISSION_DOCUMENT_VIEW
      principals: PRINCIPAL_PERSON
      deadline: {seconds: 7}
      retry: {attempts: 3}
      edge: true
    };`,
    );
    expect(run(copy.path, "contracts/generate.ts")).toMatchObject({ status: 0, stderr: "" });

    const policies = readFileSync(join(copy.path, "mesh/gen/prod/document.yaml"), "utf8");
    const [, rule = ""] = policies.split(/# \d+: gateway, for a person\n/);
    expect(rule.slice(0, rule.indexOf("---"))).toContain(`- /${name}\n`);
    const [, route = ""] = policies.split("- name: unary-7s-retry-3\n");
    expect(route).toMatch(
      new RegExp(`^ +match:\\n +- uri:\\n +exact: /${name}\\n +timeout: 7s\\n +retries:\\n +attempts: 3\\n`),
    );
    expect(readFileSync(join(copy.path, "mesh/gen/call-graph.md"), "utf8")).not.toBe(
      readFileSync(join(root, "mesh/gen/call-graph.md"), "utf8"),
    );

    // Nine callers and six states of a token; only the edge may, and only for a person.
    expect(seen(copy.path)).toEqual({
      edge: true,
      outcomes: { allowed: 1, denied: 35, unauthenticated: 18 },
      agree: true,
    });

    const matrix = readFileSync(join(root, "e2e/matrix/builders.ts"), "utf8");
    const builders = "{ readonly [Name in RpcName]: RequestBuilder<Name> }";
    expect(matrix).toContain(`type Builders = ${builders};`);
    writeFileSync(
      join(copy.path, "contracts/demanded.ts"),
      `import type { RpcName } from "./gen/services.ts";
type RequestBuilder<Name extends RpcName> = (name: Name) => unknown;
declare const before: { readonly [Name in Exclude<RpcName, "${name}">]: RequestBuilder<Name> };
export const typed: ${builders} = before;
`,
    );
    cpSync(join(root, "tsconfig.json"), join(copy.path, "tsconfig.json"));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    writeFileSync(
      join(copy.path, "tsconfig.demanded.json"),
      JSON.stringify({ extends: "./tsconfig.json", include: ["contracts/demanded.ts"] }),
    );
    const { status, stdout } = run(copy.path, tsc, "--noEmit", "-p", "tsconfig.demanded.json");
    expect(status).not.toBe(0);
    expect(stdout).toContain(`Property '"${name}"' is missing in type`);
  });
});

describe("a new workload", () => {
  it("that serves RPCs needs a port in the mesh's table, and generation says so", async () => {
    await using copy = await temporaryFolder();
    copyContracts(copy.path);
    const policy = join(copy.path, "proto/docket/policy/v1/policy.proto");
    const operator = "  WORKLOAD_OPERATOR = 8;\n";
    const added = `${operator}  // Makes tea.\n  WORKLOAD_TEA = 9;\n`;
    writeFileSync(policy, readFileSync(policy, "utf8").replace(operator, added));
    mkdirSync(join(copy.path, "proto/docket/tea/v1"), { recursive: true });
    const source = rpcSource({ policy: soundPolicy }, "docket.tea.v1");
    writeFileSync(join(copy.path, "proto/docket/tea/v1/thing.proto"), source);
    const { status, stderr } = run(copy.path, "contracts/generate.ts");
    expect(status).toBe(1);
    expect(stderr).toContain(
      "docket.tea.v1.ThingService is served at no port: give its workload one in mesh/src/workloads.ts.",
    );
    for (const path of ["mesh/gen/call-graph.md", "contracts/gen/services.ts"]) {
      expect(readFileSync(join(copy.path, path), "utf8")).toBe(readFileSync(join(root, path), "utf8"));
    }
  });
});
