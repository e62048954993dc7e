// What the manifests say of a call, read as Istio reads them, is what the contract says; and it is said with its place.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { describe, expect, it } from "@jest/globals";
import { cellName, cells, decideByContract, servedMethods } from "../src/cells.ts";
import { Explainer } from "../src/explain.ts";
import { answer } from "../src/explain_command.ts";

const explainer = new Explainer();

function run(...words: string[]) {
  const said: string[] = [];
  const complained: string[] = [];
  const code = answer(
    words,
    (line) => said.push(line),
    (line) => complained.push(line),
  );
  return { code, said: said.join("\n"), complained: complained.join("\n") };
}

describe("an explanation", () => {
  it.each(explainer.environments)("agrees with the contract on every cell of %s", (environment) => {
    const others = explainer.environments.filter((other) => other !== environment);
    const all = cells(environment, others);
    expect(all.length).toBe(servedMethods().length * (8 + others.length) * 6);
    const counts = { allowed: 0, denied: 0, unauthenticated: 0 };
    const otherwise: string[] = [];
    for (const cell of all) {
      const { outcome } = explainer.explain(cell);
      counts[outcome] += 1;
      if (outcome !== decideByContract(cell)) otherwise.push(`${cellName(cell)}: ${outcome}`);
    }
    expect(otherwise).toEqual([]);
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(100);
  });

  it("names the file, the policy and the rule that allows, and the rule is that one", () => {
    const { code, said } = run("gateway", "DocumentService/GetDocument", "person");
    expect(code).toBe(0);
    const [, rule] =
      /^mesh\/gen\/dev\/document\.yaml: AuthorizationPolicy document, rule (\d+) allows it\.$/m.exec(said) ?? [];
    const text = readFileSync(join(import.meta.dirname, "../gen/dev/document.yaml"), "utf8");
    const [, after = ""] = text.split(`    # ${rule}: `);
    expect(after.slice(0, after.indexOf("    # "))).toContain("/docket.document.v1.DocumentService/GetDocument");
    expect(said).toContain("route unary-2s-retry-2: at most 2s, tried again up to 2 times.");
    expect(said).toContain("mesh/gen/dev/gateway.yaml: Sidecar gateway lets it get there");
  });

  it("says of a refusal whether it was the token or that no rule names the caller", () => {
    expect(run("web", "GetDocument", "person")).toMatchObject({
      code: 1,
      said: expect.stringMatching(
        /^denied \(7\)\nmesh\/gen\/dev\/document\.yaml: AuthorizationPolicy document has no rule that allows it\.\nIts policy in proto\/ names gateway, .*and not web\.\n.*Sidecar web does not name document/,
      ),
    });
    expect(run("gateway", "GetDocument", "expired").said).toMatch(
      /^unauthenticated \(16\)\n.*RequestAuthentication document does not believe the token/,
    );
    expect(run("gateway", "GetDocument", "wrong-audience").said).toMatch(/^denied \(7\)\n.*is not its audience/);
    expect(run("gateway", "WorkspaceService/CreateWorkspace", "key").said).toMatch(
      /^denied \(7\)\n.*\ngateway may call it with a person's token, and what is given is a key's\.$/,
    );
    expect(run("gateway", "GetDocument", "none").said).toMatch(
      /with a person's or a key's token, and none is given\.$/,
    );
    expect(run("--environment", "prod", "dev/gateway", "GetDocument", "person").said).toMatch(
      /^denied \(7\)\nmesh\/gen\/prod\/document.*\ngateway of dev is nobody in prod/,
    );
  });

  it.each([
    [
      ["gateway", "GetDocumnt", "person"],
      /There is no RPC GetDocumnt\. Perhaps docket\.document\.v1\.DocumentService\/GetDocument, or/,
    ],
    [["gateway", "Health/Check", "none"], /could be grpc\.health\.v1\.Health\/Check@user or /],
    [["gatway", "GetDocument", "person"], /There is no workload "gatway"; there are gateway, web/],
    [["gateway", "GetDocument", "mine"], /There is no token "mine"; there are none, person, key/],
    [["moon/gateway", "GetDocument", "none"], /There is no environment "moon"; there are dev, stage, prod/],
    [["gateway"], /npm run mesh:explain -- /],
    [["--loud", "x", "gateway", "GetDocument", "none"], /--loud is no option/],
  ])("answers %j with a sentence and what could be meant", (words, sentence) => {
    expect(run(...words)).toMatchObject({ code: 2, said: "", complained: expect.stringMatching(sentence) });
  });

  it("says how to ask", () => {
    expect(run("--help")).toMatchObject({ code: 0, said: expect.stringMatching(/npm run mesh:explain -- /) });
  });

  it("tells where health was asked", () => {
    expect(run("web", "Health/Check@storage", "none")).toMatchObject({ code: 0 });
    expect(run("storage", "Health/Check@storage", "none")).toMatchObject({ code: 1 });
  });

  it("refuses a workload that calls itself, since none does", () => {
    const served = servedMethods().find(({ workload }) => workload === Workload.USER);
    if (served === undefined) throw new Error("user serves nothing");
    const caller = { environment: "dev", workload: Workload.USER };
    expect(explainer.explain({ ...served, environment: "dev", caller, token: "none" }).outcome).toBe("denied");
  });
});
