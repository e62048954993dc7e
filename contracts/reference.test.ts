import { describe, expect, it } from "@jest/globals";
import { referencePages } from "./reference.ts";
import { compile, rpcSource, soundScope } from "./testing/protos.ts";

const read = "callers: [WORKLOAD_GATEWAY, WORKLOAD_DOCUMENT] permission: PERMISSION_DOCUMENT_VIEW";

function pageOf(source: Parameters<typeof rpcSource>[0], comment = "") {
  const text = rpcSource(source, "docket.user.v1").replace("  rpc ", `${comment}\n  rpc `);
  const pages = referencePages([...compile({ "docket/user/v1/thing.proto": text }).files]);
  return { pages, page: pages.get("docket.user.v1.ThingService.md") ?? "" };
}

describe("a reference page", () => {
  it("says of an RPC who may call it, what they need, how long it takes and how it fails", () => {
    const { page } = pageOf(
      {
        idempotency: "NO_SIDE_EFFECTS",
        policy: `${read} deadline: {seconds: 2} retry: {attempts: 2} edge: true reasons: [REASON_PAGE_TOKEN_INVALID]
          cache: {scope: CACHE_SCOPE_PRIVATE max_age: {seconds: 5}}`,
      },
      "  // Gives one thing.",
    );
    expect(page).toContain("## GetThing\n\nGives one thing.");
    expect(page).toContain("| Kind | unary, changes nothing |");
    expect(page).toContain("| Callers | `gateway`, `document` |");
    expect(page).toContain("| Access | persons and API keys with `DOCUMENT_VIEW` on the WORKSPACE in `workspace_id` |");
    expect(page).toContain("| Time | at most 2 s |");
    expect(page).toContain("| Retries | 2, on UNAVAILABLE |");
    expect(page).toContain("| Edge | published, cost class READ |");
    expect(page).toContain("| Cache | private, 5 s |");
    expect(page).toMatch(/\| INVALID_ARGUMENT \| `REASON_PAGE_TOKEN_INVALID` \| {2}\| The page token is not one/);
  });

  it.each([
    [
      "filtered: {key_scope: PERMISSION_DOCUMENT_VIEW}",
      "persons and API keys; what the subject may see; API keys need the scope `DOCUMENT_VIEW`",
    ],
    [
      "filtered: {key_scope: PERMISSION_DOCUMENT_VIEW} principals: PRINCIPAL_KEY",
      "API keys; what the subject may see; API keys need the scope `DOCUMENT_VIEW`",
    ],
    ["authenticated: {}", "persons; the subject's own things"],
    ["anonymous: {}", "anybody, without signing in"],
    ["system: {}", "the calling workload by itself, no person"],
  ])("puts `%s` into words", (access, words) => {
    const { page } = pageOf({ policy: `callers: [WORKLOAD_GATEWAY] ${access} deadline: {seconds: 1}`, request: "" });
    expect(page).toContain(`| Access | ${words} |`);
  });

  it("says when a stream ends, and what stays inside the mesh", () => {
    const { page } = pageOf({
      stream: "response",
      policy: `${read} stream: {idle: {seconds: 30} max_age: {seconds: 600}}`,
      request: soundScope,
    });
    expect(page).toContain("| Kind | server streaming |");
    expect(page).toContain("| Time | ends with RESUME after 30 s of silence or 600 s of life |");
    expect(page).toContain("| Edge | no, only inside the mesh |");
  });
});

describe("the page of reasons", () => {
  it("tells those of every RPC from those that an RPC must promise", () => {
    const page = pageOf({}).pages.get("reasons.md") ?? "";
    const [chain, promised] = page.split("## Promised by RPCs that list them");
    expect(chain).toContain("| NOT_FOUND | `REASON_NOT_FOUND` | `kind`, `id` |");
    expect(promised).toContain("| ABORTED | `REASON_ETAG_MISMATCH` | `etag` |");
  });
});
