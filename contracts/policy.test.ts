import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "@jest/globals";
import { Reason, ReasonSchema } from "./gen/docket/error/v1/reason_pb.ts";
import { Permission, RateClass, ResourceKind, Workload } from "./gen/docket/policy/v1/policy_pb.ts";
import { WriteBlobRequestSchema } from "./gen/docket/storage/v1/transfer_service_pb.ts";
import { Health } from "./gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "./gen/grpc/reflection/v1/reflection_pb.ts";
import {
  callersOf,
  chainReasons,
  deadlineMsOf,
  defaultMaxRequestBytes,
  enumName,
  foreignService,
  isKeyScope,
  keyScopeOf,
  keyScopes,
  maxRequestBytesOf,
  millisecondsOf,
  policyOf,
  rateClassOf,
  reasonOptions,
  reasonsOf,
  resourceName,
  retriesOf,
  rpcNameOf,
  scopesOf,
  streamTimeOf,
  workloadName,
  workloadNamed,
  workloadOf,
  workloads,
} from "./policy.ts";
import { findRpc } from "./registry.ts";
import { compile, type RpcSource, rpcSource, soundPolicy, soundScope } from "./testing/protos.ts";

/** The one RPC of a proto written here. */
function rpc(source: RpcSource) {
  const service = compile({ "docket/user/v1/thing.proto": rpcSource(source, "docket.user.v1") }).getService(
    `docket.user.v1.${source.service ?? "ThingService"}`,
  );
  const method = service?.methods[0];
  if (!method) throw new Error("The proto has no RPC.");
  return method;
}

function ours(name: string) {
  const found = findRpc(name);
  if (!found) throw new Error(`${name} is not in the registry.`);
  return found.method;
}

describe("a policy", () => {
  it("is read from the descriptor", () => {
    const method = rpc({
      policy: `${soundPolicy} reasons: [REASON_CONFLICT] retry: {attempts: 2}`,
      idempotency: "IDEMPOTENT",
    });
    expect(rpcNameOf(method)).toBe("docket.user.v1.ThingService/GetThing");
    expect(policyOf(method).access).toEqual({ case: "permission", value: Permission.DOCUMENT_VIEW });
    expect(callersOf(method)).toEqual([Workload.GATEWAY]);
    expect(deadlineMsOf(method)).toBe(2000);
    expect(retriesOf(method)).toBe(2);
    expect(reasonsOf(method)).toEqual([Reason.CONFLICT]);
    expect(maxRequestBytesOf(method)).toBe(defaultMaxRequestBytes);
    expect(keyScopeOf(method)).toBe(Permission.DOCUMENT_VIEW);
  });

  it("that is missing is an error that names the RPC, and lets nobody call", () => {
    const method = rpc({ policy: null });
    expect(() => policyOf(method)).toThrow("docket.user.v1.ThingService/GetThing has no policy");
    expect(callersOf(method)).toEqual([]);
  });

  it("has a deadline or the limits of a stream, and asking for the other is an error", () => {
    const unary = rpc({});
    const stream = rpc({
      policy:
        "callers: [WORKLOAD_GATEWAY] system: {} stream: {idle: {seconds: 30 nanos: 500000000} max_age: {seconds: 600}}",
      stream: "response",
    });
    expect(streamTimeOf(stream)).toEqual({ idleMs: 30_500, maxAgeMs: 600_000 });
    expect(() => deadlineMsOf(stream)).toThrow("has no deadline");
    expect(() => streamTimeOf(unary)).toThrow("has no time limits of a stream");
    expect(millisecondsOf(undefined)).toBe(0);
  });

  it("gives reads and writes their cost class unless it names one", () => {
    expect(rateClassOf(rpc({ idempotency: "NO_SIDE_EFFECTS" }))).toBe(RateClass.READ);
    expect(rateClassOf(rpc({ idempotency: "IDEMPOTENT" }))).toBe(RateClass.WRITE);
    expect(rateClassOf(rpc({ policy: `${soundPolicy} rate: RATE_CLASS_SEARCH` }))).toBe(RateClass.SEARCH);
  });

  it("names a key scope only where keys may call", () => {
    const policyFor = (access: string) =>
      rpc({ policy: `callers: [WORKLOAD_GATEWAY] ${access} deadline: {seconds: 1}`, request: "" });
    expect(keyScopeOf(policyFor("filtered: {key_scope: PERMISSION_TASK_CREATE}"))).toBe(Permission.TASK_CREATE);
    expect(keyScopeOf(policyFor("authenticated: {}"))).toBeUndefined();
    expect(keyScopeOf(policyFor("anonymous: {}"))).toBeUndefined();
    expect(keyScopeOf(policyFor("permission: PERMISSION_DOCUMENT_VIEW principals: PRINCIPAL_PERSON"))).toBeUndefined();
  });
});

describe("scopes", () => {
  it("are read from a plain field, with the permission they need of their own", () => {
    const [scope, ...others] = scopesOf(
      rpc({
        request: `string id = 1 [(buf.validate.field).string.uuid = true,
          (docket.policy.v1.scope) = {kind: RESOURCE_KIND_FOLDER permission: PERMISSION_DOCUMENT_EDIT}];`,
      }),
    );
    expect(others).toEqual([]);
    expect(scope).toMatchObject({ field: "id", kind: ResourceKind.FOLDER, permission: Permission.DOCUMENT_EDIT });
    expect(scope?.read({ id: "a" } as never)).toEqual(["a"]);
    expect(scope?.read({ id: "" } as never)).toEqual([]);
    expect(scope?.read({ id: undefined } as never)).toEqual([]);
  });

  it("are read from repeated fields and from fields of repeated and nested messages", () => {
    const scopes = scopesOf(
      rpc({
        request:
          "repeated string ids = 1 [(docket.policy.v1.scope) = {kind: RESOURCE_KIND_TASK}]; repeated Item items = 2; Item item = 3;",
        more: `message Item { ${soundScope} Item again = 2; }`,
      }),
    );
    expect(scopes.map(({ field }) => field)).toEqual(["ids", "items.workspace_id", "item.workspace_id"]);
    const message = { ids: ["a", "b"], items: [{ workspaceId: "c" }, { workspaceId: "d" }], item: undefined } as never;
    expect(scopes.flatMap((scope) => scope.read(message))).toEqual(["a", "b", "c", "d"]);
  });

  it("are read from the start of a client stream, and from no other message of it", () => {
    const [scope] = scopesOf(ours("docket.storage.v1.TransferService/WriteBlob"));
    expect(scope).toMatchObject({ field: "start.upload_id", kind: ResourceKind.UPLOAD, permission: undefined });
    const start = create(WriteBlobRequestSchema, { part: { case: "start", value: { uploadId: "u" } } });
    const chunk = create(WriteBlobRequestSchema, { part: { case: "chunk", value: new Uint8Array(1) } });
    expect(scope?.read(start)).toEqual(["u"]);
    expect(scope?.read(chunk)).toEqual([]);
  });

  it("are found once per RPC", () => {
    const method = rpc({});
    expect(scopesOf(method)).toBe(scopesOf(method));
  });
});

describe("services of others", () => {
  it("may be called by those in the table, and by nobody where there is no row", () => {
    expect(callersOf(Health.method.check)).toEqual(workloads);
    expect(deadlineMsOf(Health.method.check)).toBe(2000);
    expect(retriesOf(Health.method.check)).toBe(0);
    expect(callersOf(ServerReflection.method.serverReflectionInfo)).toEqual([Workload.GATEWAY, Workload.OPERATOR]);
    expect(foreignService("grpc.channelz.v1.Channelz")).toBeUndefined();
  });
});

describe("reasons", () => {
  it("say their code, their metadata keys and whether the chain gives them", () => {
    expect(reasonOptions(Reason.NOT_FOUND)).toEqual({ code: 5, metadata: ["kind", "id"], chain: true });
    expect(reasonOptions(Reason.ETAG_MISMATCH)).toEqual({ code: 10, metadata: ["etag"], chain: false });
    expect(chainReasons()).toContain(Reason.INTERNAL);
    expect(chainReasons()).not.toContain(Reason.CONFLICT);
  });

  it("of a newer contract mean INTERNAL", () => {
    expect(reasonOptions(99_999 as Reason).code).toBe(13);
    expect(enumName(ReasonSchema, 99_999)).toBe("99999");
  });
});

describe("names", () => {
  it("of workloads are those of SPIFFE ids, in both directions", () => {
    expect(workloads.map(workloadName)).toEqual([
      "gateway",
      "web",
      "user",
      "document",
      "storage",
      "integration",
      "ingress",
      "operator",
    ]);
    for (const workload of workloads) expect(workloadNamed(workloadName(workload))).toBe(workload);
    expect(workloadNamed("nobody")).toBeUndefined();
  });

  it("of packages say which workload serves them", () => {
    expect(workloadOf(ours("docket.storage.v1.TransferService/WriteBlob").parent)).toBe(Workload.STORAGE);
    expect(() => workloadOf(Health)).toThrow("grpc.health.v1.Health belongs to no workload");
  });

  it("of kinds are in lower case", () => {
    expect(resourceName(ResourceKind.API_KEY)).toBe("api_key");
  });

  it("of key scopes hold no right over the workspace itself", () => {
    expect(keyScopes).toContain(Permission.DOCUMENT_EDIT);
    expect(isKeyScope(Permission.WORKSPACE_MANAGE)).toBe(false);
    expect(isKeyScope(9999 as Permission)).toBe(false);
  });
});
