// What stands at AWS and what the cluster asks for, by the same names: secrets, roles, images.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { platformOf } from "./change/stacks.ts";
import { images } from "./delivery/images.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const template = (name: string) => readFileSync(join(root, `infra/templates/${name}.yaml`), "utf8");

/** All YAML below a folder, as one text. */
function yamlBelow(folder: string): string {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => readFileSync(join(root, folder, file), "utf8"))
    .join("\n");
}

const inCluster = `${yamlBelow("argocd")}\n${yamlBelow("infra/accounts")}`;
const services = ["user", "document", "storage", "integration"];
const found = (text: string, pattern: RegExp) =>
  [...new Set([...text.matchAll(pattern)].map(([, name]) => name ?? ""))].sort();

/** Names of secrets, with `environment` for the environment. */
const secrets = ["accounts", "cache", "certificate", "database", "secrets"].flatMap((name) =>
  found(template(name), /^ +Name: !Sub \[?"?(docket[^"\s,]+)"?/gm).flatMap((secret) => {
    const named = secret.replace(["$", "{Environment}"].join(""), "environment");
    const place = ["$", "{Name}"].join("");
    return named.includes(place) ? services.map((service) => named.replace(place, service)) : [named];
  }),
);

describe("AWS and the cluster", () => {
  it("know the same secrets", () => {
    const asked = found(inCluster, /remoteRef: \{ key: ([^,\s}]+)/g);
    expect(asked.length).toBeGreaterThan(15);
    expect(asked.filter((name) => !secrets.includes(name))).toEqual([]);
    expect(secrets.filter((name) => !asked.includes(name))).toEqual([]);
  });

  it("know the same roles, and give none that is not made", () => {
    const asked = found(inCluster, /role-arn: "?arn:aws:iam::account:role\/docket-environment-([a-z]+)/g);
    const made = found(template("workload-roles"), /RoleName: !Sub docket-\S+?\}-([a-z]+)/g);
    expect(asked).toEqual(made);
    for (const name of made) expect(template("workload-roles")).toContain(`:${name}"}}}]}`);
  });

  it("know the same images", () => {
    const asked = found(inCluster, /account\.dkr\.ecr\.region\.amazonaws\.com\/docket\/([a-z]+)/g);
    const made = found(template("registry"), /\{ Name: ([a-z]+) \}/g);
    expect(asked).toEqual(made);
    expect([...images].sort()).toEqual(made);
  });

  it("know the same accounts of controllers, which get their roles by name and namespace", () => {
    const associations = [...template("controller-roles").matchAll(/Namespace: (\S+)\n +ServiceAccount: (\S+)/g)];
    expect(associations.length).toBe(3);
    for (const [, namespace = "", account = ""] of associations) {
      expect(inCluster).toMatch(new RegExp(`name: ${account}\\b`));
      expect(inCluster).toMatch(new RegExp(`namespace: ${namespace}\\b`));
    }
  });

  it("know the same applications, Argo CD and groups of pipelines", () => {
    const sync = readFileSync(join(root, "infra/delivery/sync.sh"), "utf8");
    const parts = sync.match(/for part in ([a-z ]+);/)?.[1]?.split(" ") ?? [];
    for (const environment of ["dev", "stage", "prod"]) {
      const applications = yamlBelow(`argocd/apps/environments/${environment}`);
      expect(found(applications, new RegExp(`^  name: docket-${environment}-([a-z]+)$`, "gm"))).toEqual(
        [...parts].sort(),
      );
      expect(yamlBelow("argocd/controllers/argo-cd")).toContain(`name: docket-${environment}-deploy`);
      expect(yamlBelow("argocd/controllers/argo-cd")).toContain(`:environment:${environment},`);
    }
    const version = sync.match(/argocd_version=(\S+)/)?.[1];
    expect(yamlBelow("argocd/controllers/argo-cd")).toContain(`newTag: ${version}`);
  });

  it("know the same group of developers", () => {
    const groups = found(template("cluster"), /^ +KubernetesGroups: \[([a-z-]+)\]/gm);
    expect(groups).toEqual(["docket-developers"]);
    expect(inCluster).toContain(`kind: Group, name: ${groups[0]} }`);
  });

  it("call platforms and namespaces the same", () => {
    for (const [environment, platform] of Object.entries(platformOf)) {
      expect(yamlBelow(`argocd/clusters/${platform}`)).toContain(`apps/environments/${environment}`);
      expect(yamlBelow(`argocd/clusters/${platform}`)).toContain(`eks: docket-${platform}`);
      expect(yamlBelow(`infra/accounts/${environment}`)).toContain(`namespace: docket-${environment}`);
    }
  });
});
