// Compiles hand-written protos for tests of the linter, with the options of Docket at hand.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createFileRegistry, type DescFile, type FileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { lintFiles, type Refusal } from "../lint.ts";

const root = dirname(dirname(import.meta.dirname));

/** Compiles proto sources by path, beside the options of Docket (which the sources may replace). Throws what buf says. */
export function compile(sources: Record<string, string>): FileRegistry {
  const folder = mkdtempSync(join(tmpdir(), "docket-protos-"));
  try {
    for (const path of ["buf", "docket/policy", "docket/error"]) {
      cpSync(join(root, "proto", path), join(folder, path), { recursive: true });
    }
    for (const [path, source] of Object.entries(sources)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), source);
    }
    const path = [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter);
    execFileSync("buf", ["build", "-o", "image.binpb"], { cwd: folder, env: { ...process.env, PATH: path } });
    return createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(join(folder, "image.binpb"))));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One RPC as a test writes it; what is left out is as a sound RPC has it. */
export interface RpcSource {
  /** The package. Default: one of its own below `docket.user.v1`. */
  package?: string;
  service?: string;
  name?: string;
  /** The text inside `option (docket.policy.v1.policy) = { … }`; null leaves the option out. */
  policy?: string | null;
  /** Default: none. */
  idempotency?: "NO_SIDE_EFFECTS" | "IDEMPOTENT";
  /** The fields of the request. Default: a workspace as the scope. */
  request?: string;
  /** The type of the request. Default: `<name>Request`. */
  requestName?: string;
  responseName?: string;
  /** `request`, `response`, or none. */
  stream?: "request" | "response";
  /** Other messages. */
  more?: string;
}

/** A policy that the linter accepts for a unary RPC. */
export const soundPolicy = "callers: [WORKLOAD_GATEWAY] permission: PERMISSION_DOCUMENT_VIEW deadline: {seconds: 2}";

/** A request field that the linter accepts as a scope. */
export const soundScope = `string workspace_id = 1 [
  (buf.validate.field).string.uuid = true, (docket.policy.v1.scope) = {kind: RESOURCE_KIND_WORKSPACE}];`;

/** Pieces of policies. */
export const view = "permission: PERMISSION_DOCUMENT_VIEW";
export const gateway = "callers: [WORKLOAD_GATEWAY]";
export const unary = "deadline: {seconds: 2}";
export const stream = "stream: {idle: {seconds: 30} max_age: {seconds: 600}}";
export const noScope = "";

/** A sound RPC with one more field in its request. */
export function withField(field: string, more = ""): RpcSource {
  return { request: `${soundScope} ${field}`, more };
}

/** The proto source of a file with one RPC. */
export function rpcSource(rpc: RpcSource, defaultPackage: string): string {
  const name = rpc.name ?? "GetThing";
  const request = rpc.requestName ?? `${name}Request`;
  const response = rpc.responseName ?? `${name}Response`;
  const policy = rpc.policy === undefined ? soundPolicy : rpc.policy;
  return `syntax = "proto3";
package ${rpc.package ?? defaultPackage};
import "buf/validate/validate.proto";
import "docket/policy/v1/policy.proto";
import "google/protobuf/field_mask.proto";
service ${rpc.service ?? "ThingService"} {
  rpc ${name}(${rpc.stream === "request" ? "stream " : ""}${request}) returns (${rpc.stream === "response" ? "stream " : ""}${response}) {
    ${rpc.idempotency ? `option idempotency_level = ${rpc.idempotency};` : ""}
    ${policy === null ? "" : `option (docket.policy.v1.policy) = { ${policy} };`}
  }
}
message ${request} { ${rpc.request ?? soundScope} }
message ${response} {}
${rpc.more ?? ""}`;
}

/** Compiles one file per RPC, in one run of buf, and gives what the linter says of each. */
export function lintRpcs(rpcs: readonly RpcSource[]): Refusal[][] {
  const path = (index: number) => `docket/user/v1/case${index}/thing.proto`;
  const sources = rpcs.map((rpc, index) => [path(index), rpcSource(rpc, `docket.user.v1.case${index}`)]);
  const registry = compile(Object.fromEntries(sources));
  return rpcs.map((_, index) => lintFiles([registry.getFile(path(index)) as DescFile]));
}
