import { gateway, noScope, soundPolicy, unary, withField } from "../testing/protos.ts";
import { describeRefusals } from "../testing/refusals.ts";

describeRefusals({
  "a scope": [
    {
      it: "that is missing where a permission is needed",
      rpc: { request: noScope },
      says: "marks no request field as its scope",
    },
    {
      it: "that nobody would check on a filtered RPC",
      rpc: { policy: `${gateway} filtered: {} ${unary}` },
      says: "is filtered: nobody would check it",
    },
    {
      it: "that nobody would check on an anonymous RPC",
      rpc: { policy: `${gateway} anonymous: {} ${unary}`, idempotency: "NO_SIDE_EFFECTS" },
      says: "is anonymous: nobody would check it",
    },
    {
      it: "without a kind",
      rpc: { request: "string id = 1 [(buf.validate.field).string.uuid = true, (docket.policy.v1.scope) = {}];" },
      says: "is a scope without a kind",
    },
    {
      it: "on a number",
      rpc: { request: "int32 id = 1 [(docket.policy.v1.scope) = {kind: RESOURCE_KIND_TASK}];" },
      says: "is a scope and no string",
    },
    {
      it: "that is no UUID",
      rpc: {
        request:
          "string id = 1 [(buf.validate.field).string.max_len = 36, (docket.policy.v1.scope) = {kind: RESOURCE_KIND_TASK}];",
      },
      says: "without the rule string.uuid",
    },
    {
      it: "whose own permission no key can carry",
      rpc: {
        request:
          "string id = 1 [(buf.validate.field).string.uuid = true, (docket.policy.v1.scope) = {kind: RESOURCE_KIND_WORKSPACE permission: PERMISSION_WORKSPACE_OWN}];",
      },
      says: "needs a permission that no API key can carry",
    },
  ],
  "a promise": [
    {
      it: "made twice",
      rpc: { policy: `${soundPolicy} reasons: [REASON_CONFLICT, REASON_CONFLICT]` },
      says: "promises a reason twice",
    },
    {
      it: "of the unspecified reason",
      rpc: { policy: `${soundPolicy} reasons: [REASON_UNSPECIFIED]` },
      says: "promises REASON_UNSPECIFIED",
    },
    {
      it: "of a reason that the chain gives",
      rpc: { policy: `${soundPolicy} reasons: [REASON_NOT_FOUND]` },
      says: "REASON_NOT_FOUND, which the chain may give",
    },
    {
      it: "forgotten for a request_id",
      rpc: withField("optional string request_id = 2 [(buf.validate.field).string.uuid = true];"),
      says: "takes request_id and does not promise REASON_REQUEST_ID_REUSED",
    },
    {
      it: "forgotten for a page_token",
      rpc: withField("string page_token = 2 [(buf.validate.field).string.max_len = 1024];"),
      says: "takes page_token and does not promise REASON_PAGE_TOKEN_INVALID",
    },
    {
      it: "forgotten for an etag",
      rpc: withField("string etag = 2 [(buf.validate.field).string.max_len = 64];"),
      says: "takes etag and does not promise REASON_ETAG_MISMATCH",
    },
  ],
  "a request": [
    {
      it: "with another name",
      rpc: { requestName: "ThingQuery" },
      says: "takes ThingQuery; call its request GetThingRequest",
    },
    {
      it: "whose response has another name",
      rpc: { responseName: "Thing" },
      says: "returns Thing; call its response GetThingResponse",
    },
    { it: "with a string without a bound", rpc: withField("string note = 2;"), says: "is a string without a bound" },
    {
      it: "with a string whose pattern alone is given",
      rpc: withField('string note = 2 [(buf.validate.field).string.pattern = "^a+$"];'),
      says: "is a string without a bound",
    },
    { it: "with bytes without a bound", rpc: withField("bytes data = 2;"), says: "holds bytes without a bound" },
    {
      it: "with a list without max_items",
      rpc: withField("repeated int32 numbers = 2;"),
      says: "is repeated without repeated.max_items",
    },
    {
      it: "with a list of strings without a bound",
      rpc: withField("repeated string tags = 2 [(buf.validate.field).repeated.max_items = 9];"),
      says: "add repeated.items.string.max_len",
    },
    {
      it: "with a map without max_pairs",
      rpc: withField("map<int32, int32> sizes = 2;"),
      says: "is a map without map.max_pairs",
    },
    {
      it: "with a map whose keys have no bound",
      rpc: withField("map<string, int32> sizes = 2 [(buf.validate.field).map.max_pairs = 9];"),
      says: "add map.keys.string.max_len",
    },
    {
      it: "with a map whose values have no bound",
      rpc: withField("map<int32, string> names = 2 [(buf.validate.field).map.max_pairs = 9];"),
      says: "add map.values.string.max_len",
    },
    {
      it: "with an enum that may be anything",
      rpc: withField("Shade shade = 2;", "enum Shade { SHADE_UNSPECIFIED = 0; }"),
      says: "is an enum that may be anything",
    },
    {
      it: "with a field mask of any paths",
      rpc: withField("google.protobuf.FieldMask update_mask = 2;"),
      says: "is a field mask without field_mask.in",
    },
    {
      it: "with a field that ignores its rules",
      rpc: withField(
        "string note = 2 [(buf.validate.field).string.max_len = 9, (buf.validate.field).ignore = IGNORE_ALWAYS];",
      ),
      says: "ignores its rules",
    },
    {
      it: "with an unbounded string deep inside",
      rpc: withField("Outer outer = 2;", "message Outer { Inner inner = 1; } message Inner { string note = 1; }"),
      says: "is a string without a bound",
    },
  ],
  "a call graph": [
    {
      it: "in which a service calls itself",
      rpc: { policy: `callers: [WORKLOAD_USER] system: {} ${unary}`, request: noScope },
      says: "lets user call its own GetThing",
    },
    { it: "of a package that no workload serves", rpc: { package: "docket.nobody.v1" }, says: "names no workload" },
  ],
});
