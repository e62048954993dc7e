import { gateway, noScope, soundPolicy, stream, unary, view } from "../testing/protos.ts";
import { describeRefusals } from "../testing/refusals.ts";

describeRefusals({
  "a policy": [
    { it: "that is missing", rpc: { policy: null }, says: "has no policy" },
    { it: "without callers", rpc: { policy: `${view} ${unary}` }, says: "has no callers" },
    {
      it: "that names a caller twice",
      rpc: { policy: `callers: [WORKLOAD_GATEWAY, WORKLOAD_GATEWAY] ${view} ${unary}` },
      says: "names a caller twice",
    },
    {
      it: "with an unspecified caller",
      rpc: { policy: `callers: [WORKLOAD_UNSPECIFIED] ${view} ${unary}` },
      says: "names WORKLOAD_UNSPECIFIED",
    },
    {
      it: "with an unlisted operator",
      rpc: { policy: `callers: [WORKLOAD_GATEWAY, WORKLOAD_OPERATOR] ${view} ${unary}` },
      says: "not in the list operatorRpcs",
    },
    {
      it: "of the edge without the gateway",
      rpc: { policy: `callers: [WORKLOAD_DOCUMENT] ${view} ${unary} edge: true` },
      says: "lacks WORKLOAD_GATEWAY",
    },
    {
      it: "with a request larger than grpc takes",
      rpc: { policy: `${soundPolicy} max_request_bytes: 5000000` },
      says: "has max_request_bytes 5000000",
    },
  ],
  access: [
    { it: "that is missing", rpc: { policy: `${gateway} ${unary}`, request: noScope }, says: "says no access" },
    {
      it: "by an unspecified permission",
      rpc: { policy: `${gateway} permission: PERMISSION_UNSPECIFIED ${unary} principals: PRINCIPAL_PERSON` },
      says: "names PERMISSION_UNSPECIFIED",
    },
    {
      it: "for anybody with side effects",
      rpc: { policy: `${gateway} anonymous: {} ${unary}`, request: noScope },
      says: "not in the list anonymousWrites",
    },
    {
      it: "for workloads by themselves at the edge",
      rpc: { policy: `${gateway} system: {} ${unary} edge: true`, request: noScope },
      says: "published by the edge; it cannot be both",
    },
    {
      it: "with a key_scope that keys cannot carry",
      rpc: { policy: `${gateway} filtered: {key_scope: PERMISSION_WORKSPACE_OWN} ${unary}`, request: noScope },
      says: "PERMISSION_WORKSPACE_OWN, which is not marked",
    },
  ],
  principals: [
    {
      it: "of a call for workloads by themselves",
      rpc: { policy: `${gateway} system: {} ${unary} principals: PRINCIPAL_PERSON`, request: noScope },
      says: "is system and names principals",
    },
    {
      it: "of an anonymous call",
      rpc: {
        policy: `${gateway} anonymous: {} ${unary} principals: PRINCIPAL_KEY`,
        idempotency: "NO_SIDE_EFFECTS",
        request: noScope,
      },
      says: "is anonymous and names principals",
    },
    {
      it: "that are persons with a key_scope",
      rpc: {
        policy: `${gateway} authenticated: {key_scope: PERMISSION_DOCUMENT_VIEW} ${unary} principals: PRINCIPAL_PERSON`,
        request: noScope,
      },
      says: "for persons only and names a key_scope",
    },
    {
      it: "that are keys without a key_scope",
      rpc: { policy: `${gateway} filtered: {} ${unary} principals: PRINCIPAL_KEY`, request: noScope },
      says: "for API keys only and names no key_scope",
    },
    {
      it: "that include keys where no key has the permission",
      rpc: { policy: `${gateway} permission: PERMISSION_WORKSPACE_MANAGE ${unary}` },
      says: "needs a permission that no API key can carry",
    },
    {
      it: "that include keys where accounts are touched",
      rpc: { package: "docket.user.v1", service: "UserService", policy: `${soundPolicy} edge: true` },
      says: "accounts, sessions or keys",
    },
  ],
  "a time": [
    { it: "that is missing on a unary call", rpc: { policy: `${gateway} ${view}` }, says: "has no deadline" },
    {
      it: "that is missing on a stream",
      rpc: { policy: `${gateway} ${view}`, stream: "response" },
      says: "has no time limits",
    },
    {
      it: "of a stream on a unary call",
      rpc: { policy: `${gateway} ${view} ${stream}` },
      says: "is unary and has the time limits of a stream",
    },
    { it: "of a unary call on a stream", rpc: { stream: "response" }, says: "is a stream and has a deadline" },
    { it: "of zero", rpc: { policy: `${gateway} ${view} deadline: {}` }, says: "has deadline 0 s" },
    {
      it: "of an hour for a unary call",
      rpc: { policy: `${gateway} ${view} deadline: {seconds: 3600}` },
      says: "has deadline 3600 s",
    },
    {
      it: "without idle",
      rpc: { policy: `${gateway} ${view} stream: {max_age: {seconds: 600}}`, stream: "response" },
      says: "has stream.idle 0 s",
    },
    {
      it: "without max_age",
      rpc: { policy: `${gateway} ${view} stream: {idle: {seconds: 600}}`, stream: "response" },
      says: "has stream.max_age 0 s",
    },
    {
      it: "whose max_age is shorter than its idle",
      rpc: { policy: `${gateway} ${view} stream: {idle: {seconds: 60} max_age: {seconds: 30}}`, stream: "response" },
      says: "shorter than its stream.idle",
    },
  ],
  retry: [
    {
      it: "without an idempotency level",
      rpc: { policy: `${soundPolicy} retry: {attempts: 2}` },
      says: "retry without an idempotency level",
    },
    {
      it: "of a stream",
      rpc: {
        policy: `${gateway} ${view} ${stream} retry: {attempts: 2}`,
        idempotency: "NO_SIDE_EFFECTS",
        stream: "response",
      },
      says: "is a stream and says retry",
    },
    {
      it: "without attempts",
      rpc: { policy: `${soundPolicy} retry: {}`, idempotency: "IDEMPOTENT" },
      says: "says 0 attempts",
    },
    {
      it: "with six attempts",
      rpc: { policy: `${soundPolicy} retry: {attempts: 6}`, idempotency: "IDEMPOTENT" },
      says: "says 6 attempts",
    },
  ],
  cache: [
    {
      it: "of an RPC with side effects",
      rpc: {
        policy: `${soundPolicy} cache: {scope: CACHE_SCOPE_PRIVATE max_age: {seconds: 9}}`,
        idempotency: "IDEMPOTENT",
      },
      says: "says cache and may have side effects",
    },
    {
      it: "that is public although the answer is authorised",
      rpc: {
        policy: `${soundPolicy} cache: {scope: CACHE_SCOPE_PUBLIC max_age: {seconds: 9}}`,
        idempotency: "NO_SIDE_EFFECTS",
      },
      says: "into shared caches",
    },
    {
      it: "without a scope",
      rpc: { policy: `${soundPolicy} cache: {max_age: {seconds: 9}}`, idempotency: "NO_SIDE_EFFECTS" },
      says: "cache without a scope",
    },
    {
      it: "without an age",
      rpc: { policy: `${soundPolicy} cache: {scope: CACHE_SCOPE_PRIVATE}`, idempotency: "NO_SIDE_EFFECTS" },
      says: "has cache.max_age 0 s",
    },
  ],
});
