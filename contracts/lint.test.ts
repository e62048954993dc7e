import { describe, expect, it } from "@jest/globals";
import { lintFiles } from "./lint.ts";
import { files } from "./registry.ts";
import {
  compile,
  gateway,
  lintRpcs,
  noScope,
  type RpcSource,
  rpcSource,
  soundPolicy,
  soundScope,
  stream,
  unary,
  view,
  withField,
} from "./testing/protos.ts";

describe("the linter accepts", () => {
  const accepted: [string, RpcSource][] = [
    ["a unary RPC with a permission and its scope", {}],
    [
      "a stream whose first message holds the scope",
      {
        policy: `${gateway} ${view} ${stream}`,
        stream: "request",
        request: "oneof part { Start start = 1; bytes chunk = 2 [(buf.validate.field).bytes.max_len = 1024]; }",
        more: `message Start { ${soundScope} }`,
      },
    ],
    [
      "an anonymous RPC that only reads, in shared caches",
      {
        policy: `${gateway} anonymous: {} ${unary} edge: true cache: {scope: CACHE_SCOPE_PUBLIC max_age: {seconds: 60}}`,
        idempotency: "NO_SIDE_EFFECTS",
        request: noScope,
      },
    ],
    [
      "a listed anonymous RPC with side effects",
      {
        package: "docket.user.v1",
        service: "SessionService",
        name: "SignUp",
        policy: `${gateway} anonymous: {} ${unary} edge: true`,
        request: noScope,
      },
    ],
    [
      "a filtered RPC for keys with a scope",
      { policy: `${gateway} filtered: {key_scope: PERMISSION_DOCUMENT_VIEW} ${unary} edge: true`, request: noScope },
    ],
    ["retries of an idempotent RPC", { policy: `${soundPolicy} retry: {attempts: 5}`, idempotency: "IDEMPOTENT" }],
    [
      "a ticket as a scope",
      {
        request:
          "string ticket = 1 [(buf.validate.field).string.max_len = 4096, (docket.policy.v1.scope) = {kind: RESOURCE_KIND_BLOB_TICKET}];",
      },
    ],
    [
      "bounded fields of all kinds",
      withField(
        `string a = 2 [(buf.validate.field).string.max_bytes = 9]; string b = 3 [(buf.validate.field).string.const = "x"];
       bytes c = 4 [(buf.validate.field).bytes.len = 32]; repeated string d = 5 [(buf.validate.field).repeated = {max_items: 3 items: {string: {uuid: true}}}];
       map<string, string> e = 6 [(buf.validate.field).map = {max_pairs: 3 keys: {string: {max_len: 9}} values: {string: {in: ["y"]}}}];
       Shade f = 7 [(buf.validate.field).enum.defined_only = true]; google.protobuf.FieldMask g = 8 [(buf.validate.field).field_mask = {in: ["a"]}];
       GetThingRequest again = 9; int64 number = 10;`,
        "enum Shade { SHADE_UNSPECIFIED = 0; }",
      ),
    ],
  ];
  const answers = lintRpcs(accepted.map(([, rpc]) => rpc));
  for (const [index, [name]] of accepted.entries()) {
    it(name, () => expect(answers[index]).toEqual([]));
  }
  it("every contract of Docket", () => expect(lintFiles(files)).toEqual([]));
});

describe("the linter looks at all services together and", () => {
  it("refuses circles of calls, naming them", () => {
    const calls = (caller: string) => `callers: [${caller}] system: {} ${unary}`;
    const registry = compile({
      "docket/document/v1/a.proto": rpcSource(
        { policy: calls("WORKLOAD_USER"), request: noScope },
        "docket.document.v1",
      ),
      "docket/storage/v1/b.proto": rpcSource(
        { policy: calls("WORKLOAD_DOCUMENT"), request: noScope },
        "docket.storage.v1",
      ),
      "docket/user/v1/c.proto": rpcSource({ policy: calls("WORKLOAD_STORAGE"), request: noScope }, "docket.user.v1"),
    });
    const refusals = lintFiles([...registry.files].filter(({ services }) => services.length > 0));
    expect(refusals).toEqual([
      {
        file: "proto",
        element: "document → storage → user → document",
        sentence: expect.stringContaining("circle of calls"),
      },
    ]);
  });
});

describe("the linter refuses a reason", () => {
  const values = `REASON_UNSPECIFIED = 0;
    REASON_BARE = 100;
    REASON_ODD = 102 [(reason) = {code: "TEAPOT"}];
    REASON_LATE = 101 [(reason) = {code: "ABORTED"}];
    REASON_KEYS = 103 [(reason) = {code: "ABORTED" metadata: ["id", "id"]}];
    REASON_CASE = 104 [(reason) = {code: "ABORTED" metadata: ["blobId"]}];
    REASON_FAR = 105 [(reason) = {code: "ABORTED" chain: true}];`;
  const registry = compile({
    "docket/error/v1/reason.proto": `syntax = "proto3";
      package docket.error.v1;
      import "google/protobuf/descriptor.proto";
      extend google.protobuf.EnumValueOptions { ReasonOptions reason = 50111; }
      message ReasonOptions { string code = 1; repeated string metadata = 2; bool chain = 3; }
      enum Reason { ${values} }`,
  });
  const refusals = lintFiles([...registry.files]);
  const saysOf = (name: string) =>
    refusals.filter(({ element }) => element.endsWith(`.${name}`)).map(({ sentence }) => sentence);

  it.each([
    ["without a code", "REASON_BARE", "has no option (reason)"],
    ["with a code that gRPC does not know", "REASON_ODD", 'unknown code "TEAPOT"'],
    ["out of order", "REASON_LATE", "keep the numbers in order"],
    ["that names a metadata key twice", "REASON_KEYS", "names a metadata key twice"],
    ["with a metadata key in another case", "REASON_CASE", "write it in lower_snake_case"],
    ["of the chain outside the chain's numbers", "REASON_FAR", "the chain's are 1 to 99"],
  ])("%s", (_, name, says) => {
    expect(saysOf(name)).toEqual([expect.stringContaining(says)]);
  });
});
