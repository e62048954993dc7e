// The templates, as text and as YAML: what cfn-lint cannot know of them.

import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { before, parameterNames, parametersOf, places, stacksOf } from "./change/stacks.ts";
import { readPlatform } from "./platform.ts";

type Value = string | number | boolean | null | Value[] | { [key: string]: Value };

interface Template {
  readonly Description: string;
  readonly Parameters?: Readonly<Record<string, { readonly Default?: Value }>>;
  readonly Resources: Readonly<Record<string, Value>>;
  readonly Outputs?: Readonly<Record<string, { readonly Export?: { readonly Name: Value } }>>;
}

interface JsYaml {
  load(text: string, options: { schema: unknown }): unknown;
  readonly Schema: { create(types: unknown[]): unknown };
  readonly Type: new (tag: string, options: object) => unknown;
}

const yaml = createRequire(import.meta.url)("js-yaml") as JsYaml;
const functions = [
  "Ref",
  "Sub",
  "GetAtt",
  "If",
  "Equals",
  "Select",
  "Split",
  "Join",
  "Cidr",
  "GetAZs",
  "FindInMap",
  "ImportValue",
];
const schema = yaml.Schema.create(
  functions.flatMap((name) =>
    ["scalar", "sequence", "mapping"].map(
      (kind) => new yaml.Type(`!${name}`, { kind, construct: (value: Value) => ({ [`Fn::${name}`]: value }) }),
    ),
  ),
);

const folder = fileURLToPath(new URL("templates", import.meta.url));
const texts = new Map(
  readdirSync(folder).map((file) => [file.replace(".yaml", ""), readFileSync(`${folder}/${file}`, "utf8")]),
);
const templates = new Map([...texts].map(([name, text]) => [name, yaml.load(text, { schema }) as Template]));
const platform = readPlatform();

/** Every object inside a value, itself included. */
function* objectsOf(value: Value): Generator<{ [key: string]: Value }> {
  if (value === null || typeof value !== "object") return;
  if (!Array.isArray(value)) yield value;
  for (const each of Object.values(value)) yield* objectsOf(each);
}

/** The names inside `Fn::Sub`, or the text itself. */
function textOf(value: Value | undefined): string {
  if (typeof value === "string") return value;
  const sub = (value as { [key: string]: Value })?.["Fn::Sub"];
  return Array.isArray(sub) ? String(sub[0]) : String(sub);
}

/** Every stack as it is made, in order; delivery last, since it speaks of both platforms. */
const stacks = Object.keys(before)
  .flatMap((place) => stacksOf(place, platform))
  .sort((a, b) => Number(a.template === "delivery") - Number(b.template === "delivery"));

/** A name with its parameters filled in; several where a template goes through both platforms itself. */
function namesOf(value: Value, parameters: Readonly<Record<string, string>>): string[] {
  const open = /\$\{Platform\}/;
  const filled = textOf(value).replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => parameters[name] ?? whole);
  return open.test(filled) ? ["nonprod", "prod"].map((name) => filled.replace(open, name)) : [filled];
}

describe("the templates", () => {
  it("are all deployed somewhere, and nothing is deployed that is not there", () => {
    const deployed = new Set<string>(Object.values(places).flat());
    expect([...deployed].sort()).toEqual([...templates.keys()].sort());
  });

  it.each([...texts])("keeps %s short and says what it is", (_, text) => {
    expect(text.split("\n").length).toBeLessThanOrEqual(250);
    expect(text).toMatch(/^Description: ./m);
  });

  it("import what a stack before them exports, and export no name twice", () => {
    const exported = new Set<string>();
    let imports = 0;
    for (const { name: stack, template, parameters } of stacks) {
      const { Resources, Outputs = {} } = templates.get(template) as Template;
      for (const object of objectsOf(Resources as Value)) {
        if (object["Fn::ImportValue"] === undefined) continue;
        for (const name of namesOf(object["Fn::ImportValue"], parameters)) {
          imports += 1;
          expect([stack, name, exported.has(name)]).toEqual([stack, name, true]);
        }
      }
      for (const { Export } of Object.values(Outputs)) {
        if (Export === undefined) continue;
        for (const name of namesOf(Export.Name, parameters)) {
          expect([stack, name, exported.has(name)]).toEqual([stack, name, false]);
          exported.add(name);
        }
      }
    }
    expect(imports).toBeGreaterThan(100);
  });

  it.each([...texts])("names no account, region, domain or repository in %s", (_, text) => {
    for (const value of [platform.account, platform.region, platform.domain, platform.repository]) {
      expect(text).not.toContain(value);
    }
    expect(text).not.toMatch(/\b\d{12}\b/);
    expect(text).not.toMatch(/\b(us|eu|ap|sa|ca|af|me)-(north|south|east|west|central)\w*-\d\b/);
  });

  it.each([...templates])(
    "writes no secret into %s: passwords are generated, or looked up when it is applied",
    (name, template) => {
      for (const [parameter] of Object.entries(template.Parameters ?? {})) {
        expect([name, parameter]).not.toEqual([name, expect.stringMatching(/password|secret|token|key$/i)]);
      }
      for (const object of objectsOf(template.Resources as Value)) {
        for (const [key, value] of Object.entries(object)) {
          if (!/^(MasterUserPassword|AuthToken|Passwords|SecretString|Password)$/.test(key)) continue;
          if (key === "Password" && typeof value === "object") continue;
          const said = Array.isArray(value) ? value.map(textOf).join() : textOf(value);
          // The address of Redis stands beside its password, and is none.
          expect(said).toMatch(/^\{\{resolve:secretsmanager:|^\{"host": "\$\{Replication/);
        }
      }
    },
  );

  it("lets nobody in from everywhere, but out", () => {
    for (const template of templates.values()) {
      for (const object of objectsOf(template.Resources as Value)) {
        const ways = (object.SecurityGroupIngress ?? []) as { CidrIp?: Value }[];
        for (const { CidrIp } of Array.isArray(ways) ? ways : []) expect(CidrIp).not.toBe("0.0.0.0/0");
      }
    }
  });

  describe("of the pipelines", () => {
    const { Resources, Mappings } = templates.get("delivery") as Template & {
      readonly Mappings: { readonly Environment: Readonly<Record<string, Readonly<Record<string, string>>>> };
    };

    /** Roles that may do something, with the resources they may do it to, once for each environment. */
    function* allowed(action: string): Generator<[string, string]> {
      for (const row of Object.values(Mappings.Environment)) {
        const filled = (value: Value) =>
          textOf(value).replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => row[name] ?? whole);
        for (const object of objectsOf(Resources as Value)) {
          const { RoleName } = object;
          if (RoleName === undefined) continue;
          for (const { Action, Resource } of objectsOf(object)) {
            if (Resource === undefined || ![Action].flat().includes(action)) continue;
            for (const each of [Resource].flat()) {
              yield [
                typeof RoleName === "object" && RoleName && "Fn::Ref" in RoleName
                  ? String(RoleName["Fn::Ref"])
                  : filled(RoleName),
                filled(each),
              ];
            }
          }
        }
      }
    }

    it("let who approves for one environment execute the changes of its stacks and of no other's", () => {
      const ways = [...allowed("cloudformation:ExecuteChangeSet")];
      for (const place of Object.keys(before).filter((name) => name !== "account")) {
        for (const { name } of stacksOf(place, platform)) {
          const approver = place === "platform-nonprod" ? "dev" : place.split("-")[1];
          const may = ways.filter(([, resource]) => {
            const pattern = resource.replace(/^.*:stack\//, "").replaceAll("*", ".*");
            return new RegExp(`^${pattern}$`).test(`${name}/id`);
          });
          expect([name, [...new Set(may.map(([role]) => role))]]).toEqual([name, [`docket-${approver}-change`]]);
        }
      }
    });

    it("let main.yml and PROD alone put tags into the registry", () => {
      expect([...new Set([...allowed("ecr:PutImage")].map(([role]) => role))]).toEqual(["docket-push", "DeployProd"]);
    });
  });

  it("keeps or photographs what holds data when its stack goes", () => {
    const kept = /^AWS::(S3::Bucket|KMS::Key|ECR::Repository|RDS::DBCluster|Route53::HostedZone)$/;
    for (const [name, template] of templates) {
      for (const object of objectsOf(template.Resources as Value)) {
        if (typeof object.Type !== "string" || !kept.test(object.Type)) continue;
        expect([name, object.Type, object.DeletionPolicy]).toEqual([
          name,
          object.Type,
          expect.stringMatching(/^(Retain|Snapshot)$/),
        ]);
        expect(object.UpdateReplacePolicy).toBe(object.DeletionPolicy);
      }
    }
  });
});

describe("parameter files", () => {
  it.each(Object.keys(before))(
    "give every stack at %s what it asks for, and nothing that it does not know",
    (place) => {
      for (const { template, parameters } of stacksOf(place, platform)) {
        const { Parameters = {} } = templates.get(template) as Template;
        expect(Object.keys(parameters).filter((name) => !(name in Parameters))).toEqual([]);
        const needed = Object.entries(Parameters).filter(([, { Default }]) => Default === undefined);
        expect([template, needed.map(([name]) => name).filter((name) => !(name in parameters))]).toEqual([
          template,
          [],
        ]);
        expect(parameterNames(texts.get(template) ?? "")).toEqual(Object.keys(Parameters));
      }
      const unknown = Object.keys(parametersOf(place)).filter(
        (name) => !stacksOf(place, platform).some(({ template }) => template === name),
      );
      expect(unknown).toEqual([]);
    },
  );

  it("hold no secret, and neither account nor region nor domain", () => {
    for (const place of Object.keys(before)) {
      const text = JSON.stringify(parametersOf(place));
      expect(text).not.toMatch(/password|secret|token|AKIA/i);
      for (const value of [platform.account, platform.region, platform.domain]) expect(text).not.toContain(value);
    }
  });

  it("protect PROD's data, and give it a second of everything", () => {
    const { database, cache, contents } = parametersOf("environment-prod");
    expect([database?.Protected, database?.Instances, cache?.Nodes]).toEqual(["true", "2", "2"]);
    // What a dump refers to must be there for as long as the dump is kept.
    expect(Number(contents?.RestorableDays)).toBeGreaterThanOrEqual(Number(database?.BackupDays));
    expect(parametersOf("platform-prod").network?.NatPerZone).toBe("true");
  });
});
