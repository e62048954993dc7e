import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { temporaryFolder } from "@docket/runtime/testing/temporary_folder";
import { matches, readKnown, unexplained } from "./known.ts";
import { parseReport } from "./suite.ts";

const text = `# A list.

# Two patterns, explained together.
#! only: ^one detail$
#! sometimes
Sizes/**/too-large
Timeouts/**
`;

const said = `Sending request for "Sizes/HTTPVersion:2/Protocol:PROTOCOL_GRPC/unary/too-large"...
Sending request for "Connect Requests/HTTPVersion:1/unary/a"...
Sending request for "Timeouts/HTTPVersion:1/Protocol:PROTOCOL_CONNECT/unary"...
INFO: Sizes/HTTPVersion:2/Protocol:PROTOCOL_GRPC/unary/too-large failed (as expected):
	one detail
	; another thing
FAILED: Timeouts/HTTPVersion:1/Protocol:PROTOCOL_CONNECT/unary was expected to fail but did not

Total cases: 3
1 passed, 1 failed
(Another 1 failed as expected due to being known failures/flakes.)
`;

describe("known failures", () => {
  it("are told apart from failures of the same case for another reason", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "known.txt");
    await writeFile(path, text);
    const known = readKnown(path);
    expect(known).toHaveLength(1);
    expect(known[0]?.sometimes).toBe(true);
    expect(unexplained("Sizes/a/b/too-large", ["one detail"], known)).toEqual([]);
    expect(unexplained("Sizes/a/b/too-large", ["one detail", "a crash"], known)).toEqual(["a crash"]);
    expect(unexplained("Basic/a", ["one detail"], known)).toEqual(["one detail"]);
  });

  it("are refused without a word of what may be complained of", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "known.txt");
    await writeFile(path, "# It fails.\nTimeouts/**\n");
    expect(() => readKnown(path)).toThrow("Timeouts/**");
  });

  it("are named by patterns whose stars stand for whole parts", () => {
    expect(matches("Sizes/**/too-large", "Sizes/too-large")).toBe(true);
    expect(matches("Sizes/**/too-large", "Sizes/a/(b)/c/too-large")).toBe(true);
    expect(matches("Sizes/*/too-large", "Sizes/a/b/too-large")).toBe(false);
    expect(matches("Sizes/**", "Sizes/a/b")).toBe(true);
    expect(matches("Sizes", "Sizes/a")).toBe(false);
  });

  it("are read from what the suite says, with the protocol of each case", () => {
    const report = parseReport(said);
    expect(report.total).toBe(3);
    expect(report.cases.map(({ protocol }) => protocol)).toEqual(["gRPC", "Connect", "Connect"]);
    expect(report.failures).toEqual([
      {
        name: "Sizes/HTTPVersion:2/Protocol:PROTOCOL_GRPC/unary/too-large",
        expected: true,
        complaint: ["one detail", "another thing"],
      },
      {
        name: "Timeouts/HTTPVersion:1/Protocol:PROTOCOL_CONNECT/unary",
        expected: false,
        complaint: ["was expected to fail but did not"],
      },
    ]);
  });
});
