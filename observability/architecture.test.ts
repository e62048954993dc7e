import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ReasonSchema } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { PermissionSchema } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { foreignServices, workloadName, workloads } from "@docket/contracts/policy";
import { rpcs } from "@docket/contracts/registry";
import { rowOf } from "@docket/mesh/workloads";
import { expect, test } from "@jest/globals";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const pagesIn = (folder: string) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${folder}/${name}`);
const architecture = pagesIn("docs/architecture");
const written = [...architecture, ...pagesIn("docs/operations/runbooks")];
const text = (page: string) => readFileSync(join(root, page), "utf8");

test.each(written)("links of %s lead somewhere", (page) => {
  const links = [...text(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, link = ""]) => link);
  const broken = links.filter((link) => !link.startsWith("https:") && !existsSync(join(root, dirname(page), link)));
  expect(broken).toEqual([]);
});

test.each(written)("RPCs that %s names are in the contract", (page) => {
  const short = new Set(rpcs.map(({ service, method }) => `${service.name}/${method.name}`));
  const named = [...text(page).matchAll(/\b([A-Z][A-Za-z]*Service)\/([A-Z][A-Za-z]*)\b/g)].map(([name]) => name);
  expect(named.filter((name) => !short.has(name))).toEqual([]);
  const foreign = [...text(page).matchAll(/\bgrpc\.[a-z0-9.]+\.[A-Z][A-Za-z]*/g)].map(([name]) => name);
  expect(foreign.filter((name) => !foreignServices.some(({ typeName }) => typeName === name))).toEqual([]);
});

test.each(written)("files and folders that %s names are there", (page) => {
  const named = [
    ...text(page).matchAll(
      /`((?:proto|contracts|runtime|services|mesh|argocd|observability|docs|e2e|web)\/[A-Za-z0-9_./-]+)/g,
    ),
  ].map(([, path = ""]) => path);
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test.each(architecture)("workloads and ports of %s are those of the mesh", (page) => {
  const ports = new Map<string, number[]>(
    workloads.map((workload) => {
      const { grpcPort, foreignPort, pages = [], publicPorts = [] } = rowOf(workload);
      return [
        workloadName(workload),
        [grpcPort, foreignPort, ...pages.map(({ port }) => port), ...publicPorts].filter((port) => port !== undefined),
      ];
    }),
  );
  // Boxes such as `user["user 7101"]`.
  for (const [, workload = "", label = ""] of text(page).matchAll(/^\s*(\w+)\["([^"]*)"\]/gm)) {
    const known = ports.get(workload);
    if (known === undefined) continue;
    const drawn = [...label.matchAll(/\b(\d{4})\b/g)].map(([, port]) => Number(port));
    expect(drawn.filter((port) => !known.includes(port))).toEqual([]);
  }
  const participants = [...text(page).matchAll(/participant \w+ as ([a-z]+)(?: worker|, another replica)?$/gm)].map(
    ([, name = ""]) => name,
  );
  expect(participants.filter((name) => !ports.has(name))).toEqual([]);
});

test.each(architecture)("each message of a sequence in %s is one that its caller may send to its callee", (page) => {
  const wrong: string[] = [];
  for (const [, diagram = ""] of text(page).matchAll(/```mermaid\nsequenceDiagram\n([\s\S]*?)```/g)) {
    const names = new Map(
      [...diagram.matchAll(/participant (\w+) as ([a-z]+)/g)].map(([, key = "", name = ""]) => [key, name]),
    );
    for (const [line, from = "", to = "", rpc = ""] of diagram.matchAll(
      /^\s*(\w+)-[->)]*>*\)?(\w+): (\w+Service\/\w+)/gm,
    )) {
      const found = rpcs.find(({ service, method }) => `${service.name}/${method.name}` === rpc);
      const caller = workloads.find((workload) => workloadName(workload) === names.get(from));
      const outside = caller === undefined;
      const edge = names.get(to) === "gateway";
      const serves = found !== undefined && `docket.${names.get(to)}.v1` === found.service.file.proto.package;
      const allowed =
        found !== undefined &&
        (edge ? found.policy.edge : serves && (outside ? found.policy.edge : found.policy.callers.includes(caller)));
      if (!allowed) wrong.push(line.trim());
    }
  }
  expect(wrong).toEqual([]);
});

test.each(architecture)("words in capitals of %s are the contract's", (page) => {
  const known = new Set([
    ...ReasonSchema.values.map(({ localName }) => localName),
    ...PermissionSchema.values.map(({ localName }) => localName),
    ...["DOCUMENT_CREATED", "RECEIVING", "VERIFYING", "STORED", "FAILED", "AMQP"],
  ]);
  const found = [...text(page).matchAll(/(?<![\w.`/=-])([A-Z]{3,}(?:_[A-Z]+)+)\b/g)].map(([, word = ""]) => word);
  expect(found.filter((word) => !known.has(word) && !/^(MESH|REDIS|TRUSTED|METRICS|EDGE)_/.test(word))).toEqual([]);
});

test("messages are found in the sequences, so that the test above can fail", () => {
  const messages = architecture.flatMap((page) => text(page).match(/^\s*\w+-[->)]*>*\)?\w+: \w+Service\/\w+/gm) ?? []);
  expect(messages.length).toBeGreaterThan(10);
});

test("a page with diagrams closes each of them", () => {
  for (const page of architecture) expect((text(page).match(/^```/gm) ?? []).length % 2).toBe(0);
});
