// compose.yaml, without a container engine: it follows the Compose Specification, names every process, and sets nothing
// that no process declares.

import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "@jest/globals";
import { readSettings, settingsReference } from "@docket/runtime/config";
import { declaredSettings } from "./settings_reference.ts";

interface Container {
  readonly image?: string;
  readonly build?: { readonly args: { readonly SERVICE: string } };
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly deploy?: { readonly replicas: number };
  readonly ports?: readonly string[];
  readonly networks?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly volumes?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly secrets?: readonly string[];
  readonly healthcheck?: unknown;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

interface Compose {
  readonly services: Readonly<Record<string, Container>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
}

const root = fileURLToPath(new URL("..", import.meta.url));
const text = readFileSync(join(root, "compose.yaml"), "utf8");
const { load } = createRequire(import.meta.url)("js-yaml") as { load(yaml: string): unknown };
const compose = load(text) as Compose;
const containers = Object.entries(compose.services);
/** What is made from our Dockerfile. */
const own = containers.filter(([, { build }]) => build !== undefined);
const jobs = own.filter(([name]) => name.endsWith("-migrate"));
const processes = own.filter(([name]) => !name.endsWith("-migrate") && name !== "admin");
const processOf = ({ build }: Container) => build?.args.SERVICE ?? "";
/** The operator's command has the settings of all databases. */
const settingsOf = (name: string) => (name === "admin" ? declaredSettings : (declaredSettings[name] ?? {}));

/** What stands in `.env`. */
const given: Record<string, string> = {
  DATABASE_ROOT_PASSWORD: "a".repeat(48),
  DATABASE_PASSWORD: "b".repeat(48),
  REDIS_PASSWORD: "c".repeat(48),
  BLOB_SECRET: "d".repeat(48),
  KEY_ENCRYPTION_SECRET: "e".repeat(48),
};

function interpolated(value: string): string {
  return value.replaceAll(/\$\{(\w+)(?::-([^}]*)|:\?[^}]*)?\}/g, (_, name: string, fallback?: string) => {
    const found = given[name] ?? fallback;
    if (found === undefined) throw new Error(`${name} is neither set nor does it have a default`);
    return found;
  });
}

describe("compose.yaml", () => {
  it("follows the Compose Specification", () => {
    const schema = JSON.parse(readFileSync(join(root, "e2e/images/compose-spec.json"), "utf8")) as object;
    const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
    const validate = ajv.compile(schema);
    validate(compose);
    expect(validate.errors ?? []).toEqual([]);
    // The schema is no mere formality.
    expect(validate({ services: { user: { image: "x", read_onyl: true } } })).toBe(false);
  });

  it("runs every process, twice, its workers apart from its servers, and migrates each database before", () => {
    const services = readdirSync(join(root, "services")).sort();
    expect([...new Set(processes.map(([, container]) => processOf(container)))].sort()).toEqual(
      [...services, "web"].sort(),
    );
    for (const [name, { deploy }] of processes) expect([name, deploy?.replicas]).toEqual([name, 2]);
    const withDatabase = services.filter((name) => name !== "gateway");
    for (const service of withDatabase) {
      expect(compose.services[service]?.command).toEqual(["--role", "server"]);
      expect(compose.services[`${service}-worker`]?.command).toEqual(["--role", "worker"]);
      const job = compose.services[`${service}-migrate`];
      expect(job?.entrypoint).toEqual(["node", `services/${service}/migrate.ts`]);
      for (const name of [service, `${service}-worker`]) {
        expect(compose.services[name]?.depends_on?.[`${service}-migrate`]?.condition).toBe(
          "service_completed_successfully",
        );
      }
    }
    expect(jobs.map(([name]) => name).sort()).toEqual(withDatabase.map((name) => `${name}-migrate`));
  });

  it.each(own)("sets nothing for %s that it does not declare, and nothing that it would refuse", (_, container) => {
    const settings = settingsOf(processOf(container));
    const declared = new Set(settingsReference(settings).map(({ variable }) => variable));
    const environment = container.environment ?? {};
    expect(Object.keys(environment).filter((variable) => !declared.has(variable))).toEqual([]);
    for (const value of Object.values(environment)) expect(typeof value).toBe("string");
    const filled = Object.entries(environment).map(([variable, value]) => [variable, interpolated(value)]);
    expect(() => readSettings(settings, Object.fromEntries(filled))).not.toThrow();
  });

  it.each(own)("lets %s write its volume and /tmp alone, with no rights of root", (_, container) => {
    expect(container).toMatchObject({ read_only: true, cap_drop: ["ALL"], tmpfs: ["/tmp"], volumes: ["mesh:/data"] });
    expect(container.security_opt).toEqual(["no-new-privileges:true"]);
  });

  it("gives each database an account of its own, and each secret to those who need it", () => {
    const urls = own.flatMap(([, { environment }]) => environment?.DATABASE_URL ?? []);
    for (const url of urls) {
      const { username, pathname } = new URL(interpolated(url));
      expect(pathname).toBe(`/${username}`);
      expect(decodeURIComponent(username)).toMatch(/^docket_(\w+|\{service\})$/);
    }
    expect(new Set(urls).size).toBe(5);
    for (const [name, { environment, secrets }] of own) {
      const reads = environment?.KEY_ENCRYPTION_SECRET_FILE !== undefined;
      expect([name, secrets ?? []]).toEqual([name, reads ? ["key_encryption"] : []]);
    }
  });

  it("publishes the edge alone, and lets out those alone who must call the outside", () => {
    expect(containers.filter(([, { ports }]) => ports !== undefined).map(([name]) => name)).toEqual(["gateway"]);
    expect(compose.networks.inside?.internal).toBe(true);
    const outside = containers.filter(([, { networks }]) => networks?.includes("outside")).map(([name]) => name);
    expect(outside.sort()).toEqual(["gateway", "integration", "integration-worker", "user-worker"]);
    for (const [name, { networks }] of containers) expect([name, networks?.includes("inside")]).toEqual([name, true]);
  });

  it("says at its head which variables it needs, and pins the images of others", () => {
    const needed = new Set([...text.matchAll(/\$\{(\w+)(?::\?[^}]*)?\}/g)].map(([, name]) => name ?? ""));
    const head = text.slice(0, text.indexOf("name: docket"));
    for (const name of [...needed, "KEY_ENCRYPTION_SECRET"]) expect(head).toContain(name);
    for (const [, { image }] of containers.filter(([, { build }]) => build === undefined)) {
      expect(image).toMatch(/^[a-z/]+:v?\d+\.\d+/);
    }
  });
});
