// What lets a new version in: the routes whose weights move are all those that the contract has made, and the limits are
// those that the objectives set.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { rpcs } from "@docket/contracts/registry";
import { describe, expect, it } from "@jest/globals";
import { parseObjects } from "../mesh/verify/objects.ts";
import { faultCodes, faultReasons, resume, thresholdOf } from "../observability/slo/classes.ts";
import { availabilityObjective, fastBurn, latencyObjective } from "../observability/slo/objectives.ts";

const read = (path: string) => readFileSync(join(import.meta.dirname, "..", path), "utf8");
const objects = (path: string) => parseObjects(read(path));
const services = ["user", "document", "storage", "integration"];
const environments = ["dev", "stage", "prod"];

describe("a rollout", () => {
  it.each(services)("of %s moves weights in every route of the mesh, in every environment", (service) => {
    const [rollout] = objects(`argocd/workloads/base/${service}/rollout.yaml`);
    const { virtualService, destinationRule } = rollout?.spec.strategy.canary.trafficRouting.istio ?? {};
    expect(virtualService.name).toBe(service);
    for (const environment of environments) {
      const mesh = objects(`mesh/gen/${environment}/${service}.yaml`);
      const routes = mesh
        .find(({ kind }) => kind === "VirtualService")
        ?.spec.http.map(({ name }: { name: string }) => name);
      expect(routes.length).toBeGreaterThan(3);
      expect([environment, virtualService.routes]).toEqual([environment, routes]);
      const subsets = mesh
        .find(({ kind }) => kind === "DestinationRule")
        ?.spec.subsets.map(({ name }: { name: string }) => name);
      expect(subsets).toEqual([destinationRule.stableSubsetName, destinationRule.canarySubsetName]);
    }
  });

  it("is there for every workload of the mesh that has pods of ours to be called", () => {
    const names = readdirSync(join(import.meta.dirname, "workloads/base"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .filter((name) => read(`argocd/workloads/base/${name}/kustomization.yaml`).includes("rollout.yaml"));
    expect(names.sort()).toEqual([...services, "gateway", "web"].sort());
  });

  it("sends nobody but those who ask to a version that no journey went through", () => {
    for (const strategy of ["stepwise", "blue-green"]) {
      for (const file of ["services", "gateway"]) {
        const [patch] = objects(`argocd/workloads/strategies/${strategy}/${file}.yaml`);
        const steps: Record<string, { templates?: { templateName: string }[]; match?: unknown[] }>[] =
          patch?.spec.strategy.canary.steps;
        const at = (what: (step: (typeof steps)[number]) => boolean) => steps.findIndex(what);
        const header = at((step) => step.setHeaderRoute?.match?.length === 1);
        const journey = at((step) => step.analysis?.templates?.[0]?.templateName === "journey");
        const weight = at((step) => step.setWeight !== undefined);
        expect(header).toBeGreaterThan(-1);
        expect(journey).toBeGreaterThan(header);
        expect(weight).toBeGreaterThan(journey);
        // Each weight is judged before the next.
        steps.forEach((step, index) => {
          if (step.setWeight !== undefined) expect(steps[index + 1]?.analysis?.templates).toBeDefined();
        });
      }
    }
  });
});

describe("Argo CD", () => {
  const applications = environments.flatMap((environment) =>
    objects(`argocd/apps/environments/${environment}/applications.yaml`),
  );
  const optionsOf = (name: RegExp) =>
    applications
      .filter(({ metadata }) => name.test(metadata.name))
      .map(({ spec }) => spec.syncPolicy.syncOptions as string[]);

  it("leaves routes alone whose weights alone differ, and applies whole those that have changed", () => {
    // To respect ignored differences inside of a list, Argo CD takes the live list, new routes or not.
    const mesh = optionsOf(/-mesh$/);
    expect(mesh).toHaveLength(3);
    for (const options of mesh) {
      expect(options).toContain("ApplyOutOfSyncOnly=true");
      expect(options).not.toContain("RespectIgnoreDifferences=true");
    }
  });

  it("keeps what Rollouts adds to the selectors of Services, and who scaled the operator", () => {
    const workloads = optionsOf(/-workloads$/);
    expect(workloads).toHaveLength(3);
    for (const options of workloads) expect(options).toContain("RespectIgnoreDifferences=true");
  });
});

describe("what a new version must not do", () => {
  const templates = ["calls", "requests", "pages"].map(
    (name) => [name, objects(`argocd/workloads/base/analysis/${name}.yaml`)[0]] as const,
  );
  const rate = Math.max(...fastBurn.map((windows) => windows.rate));
  const limit = (objective: number) => Number(((1 - objective) * rate).toFixed(4));

  it.each(templates)("is in %s what would wake somebody, were it all pods", (_, template) => {
    const conditions = Object.fromEntries(
      template?.spec.metrics.map(({ name, successCondition }: Record<string, string>) => [name, successCondition]),
    );
    expect(conditions).toEqual({
      faults: `result[0] <= ${limit(availabilityObjective)}`,
      slow: `result[0] <= ${limit(latencyObjective)}`,
    });
  });

  it("is counted with the codes and reasons that count against the objectives", () => {
    const calls = read("argocd/workloads/base/analysis/calls.yaml");
    expect(calls).toContain(`rpc_response_status_code=~"${faultCodes.join("|")}",docket_reason!="${resume}"`);
    expect(calls).toContain(`le="${thresholdOf(2)}"`);
    const requests = read("argocd/workloads/base/analysis/requests.yaml");
    expect(requests).toContain(`docket_reason=~"${faultReasons.join("|")}"`);
    expect(requests).toContain(`docket_reason!~"${faultReasons.join("|")}|${resume}"`);
  });

  it("is not asked of streams, which last as long as they are wanted", () => {
    const streams = rpcs.filter(({ method }) => method.methodKind !== "unary").map(({ method }) => method.name);
    for (const name of ["calls", "requests"]) {
      const text = read(`argocd/workloads/base/analysis/${name}.yaml`);
      const left = [...text.matchAll(/(?:rpc_method|http_route)!~"\.\*\/\(([^)]*)\)"/g)].map(([, list = ""]) =>
        list.split("|").sort(),
      );
      expect(left).toHaveLength(3);
      for (const list of left) expect(list).toEqual([...new Set(streams)].sort());
    }
  });
});
