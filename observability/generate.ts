/**
 * Makes observability/gen from the contract: Prometheus' rules, Grafana's dashboards and what the Collector must know of the RPCs;
 * and the diagrams of docs/architecture that the contract knows. The third part of `npm run gen`; nothing imports it.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { generatedFiles } from "./generated.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, "observability", "gen");

const files = generatedFiles(root);
if (existsSync(folder)) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !files.has(path)) rmSync(path);
  }
}
for (const [path, text] of files) {
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
}
