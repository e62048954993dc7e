// How policies are judged, on policies written for it: the order of things, the matching of texts, and what is not understood.

import { describe, expect, it } from "@jest/globals";
import type { Located } from "../src/configuration.ts";
import { evaluate, type MeshRequest } from "../src/evaluate.ts";

const request: MeshRequest = {
  namespace: "home",
  labels: { app: "thing" },
  port: 7100,
  method: "POST",
  path: "/a.B/C",
  principal: "cluster.local/ns/home/sa/gateway",
  token: undefined,
};

const token = { issuer: "docket", audience: "docket", subject: "x", claims: { kind: "person" }, sound: true };

function policy(name: string, spec: unknown, namespace = "home", kind = "AuthorizationPolicy"): Located<unknown> {
  return { file: `${name}.yaml`, kind, name, namespace, spec };
}

const rule = (more: object = {}) => ({
  from: [{ source: { principals: [request.principal] } }],
  to: [{ operation: { methods: ["POST"], paths: ["/a.B/C"] } }],
  ...more,
});

const believes = policy(
  "believes",
  { jwtRules: [{ issuer: "docket", audiences: ["docket"] }] },
  "home",
  "RequestAuthentication",
);

describe("a request", () => {
  it("passes where no policy concerns it, and not where one allows nothing", () => {
    expect(evaluate(request, [])).toEqual({ outcome: "allowed", code: 0, by: undefined });
    expect(evaluate(request, [policy("nothing", {})])).toMatchObject({
      outcome: "denied",
      code: 7,
      by: { name: "nothing" },
    });
    expect(evaluate(request, [policy("nothing", {}, "istio-system")]).outcome).toBe("denied");
    expect(evaluate(request, [policy("nothing", {}, "elsewhere")]).outcome).toBe("allowed");
    expect(evaluate(request, [policy("other", { selector: { matchLabels: { app: "other" } } })]).outcome).toBe(
      "allowed",
    );
  });

  it("passes by the first rule that fits, beside a policy that allows nothing", () => {
    const rules = [rule({ to: [{ operation: { paths: ["/a.B/D"] } }] }), rule()];
    expect(evaluate(request, [policy("nothing", {}), policy("some", { rules })])).toMatchObject({
      outcome: "allowed",
      by: { name: "some", rule: 2 },
    });
  });

  it("is refused by what forbids, whatever allows", () => {
    const forbids = policy("forbids", { action: "DENY", rules: [{ to: [{ operation: { paths: ["/a.*"] } }] }] });
    expect(evaluate(request, [policy("some", { rules: [rule()] }), forbids])).toMatchObject({
      outcome: "denied",
      by: { name: "forbids", rule: 1 },
    });
  });

  it.each([
    ["*", true],
    ["cluster.local/ns/home/*", true],
    ["*/sa/gateway", true],
    ["cluster.local/ns/away/*", false],
    ["cluster.local/ns/home/sa/gate", false],
  ])("of a caller that %s stands for is judged so", (principals, allowed) => {
    const some = policy("some", { rules: [rule({ from: [{ source: { principals: [principals] } }] })] });
    expect(evaluate(request, [some]).outcome).toBe(allowed ? "allowed" : "denied");
  });

  it("is asked for its port and method where a rule names them", () => {
    const some = (operation: object) =>
      evaluate(request, [policy("some", { rules: [rule({ to: [{ operation }] })] })]).outcome;
    expect(some({ ports: ["7100"] })).toBe("allowed");
    expect(some({ ports: ["7101"] })).toBe("denied");
    expect(some({ methods: ["GET"] })).toBe("denied");
  });

  it("needs a token where a rule asks for one, of the kind that it asks for", () => {
    const from = [{ source: { principals: [request.principal], requestPrincipals: ["docket/*"] } }];
    const when = [{ key: "request.auth.claims[kind]", values: ["person"] }];
    const all = [believes, policy("some", { rules: [rule({ from, when })] })];
    expect(evaluate(request, all).outcome).toBe("denied");
    expect(evaluate({ ...request, token }, all).outcome).toBe("allowed");
    expect(evaluate({ ...request, token: { ...token, claims: { kind: "application" } } }, all).outcome).toBe("denied");
    // Nobody has looked at the token then, so it says nothing.
    expect(evaluate({ ...request, token }, all.slice(1)).outcome).toBe("denied");
  });

  it("with a bad token is refused before any rule is asked", () => {
    const all = [believes, policy("some", { rules: [rule()] })];
    expect(evaluate({ ...request, token: { ...token, sound: false } }, all)).toMatchObject({
      code: 16,
      by: { name: "believes" },
    });
    expect(evaluate({ ...request, token: { ...token, issuer: "another" } }, all)).toMatchObject({ code: 16 });
    expect(evaluate({ ...request, token: { ...token, audience: "another" } }, all)).toMatchObject({
      code: 7,
      by: { name: "believes" },
    });
  });

  it.each([
    ["a field of a rule", { rules: [rule({ unless: [] })] }, "field unless"],
    ["a field of a source", { rules: [rule({ from: [{ source: { notPrincipals: ["x"] } }] })] }, "field notPrincipals"],
    ["an action", { action: "CUSTOM", rules: [] }, "action CUSTOM"],
    ["a condition", { rules: [rule({ when: [{ key: "source.ip", values: ["x"] }] })] }, "source.ip"],
  ])("is not judged where %s is not understood", (_, spec, sentence) => {
    expect(() => evaluate(request, [policy("strange", spec)])).toThrow(sentence);
  });
});
