import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { setting, settingsReference } from "@docket/runtime/config";
import { declaredSettings, settingsPage } from "./settings_reference.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const rows = Object.entries(declaredSettings).flatMap(([process, settings]) =>
  settingsReference(settings).map((row) => ({ process, ...row })),
);

/** The source files below a folder that run in production. */
function sourcesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs|js)$/.test(entry.name) && !entry.name.endsWith(".test.ts"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((path) => !/(^|\/)(node_modules|test|testing|gen|\.[^/]+)\//.test(path));
}

describe("the reference of settings", () => {
  it("is of every process that there is", () => {
    const services = readdirSync(join(root, "services"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .filter((name) => readdirSync(join(root, "services", name)).includes("main.ts"));
    expect(Object.keys(declaredSettings).sort()).toEqual([...services, "web"].sort());
  });

  it("holds every setting that any process declares, with what it does", () => {
    const page = settingsPage(root);
    expect(rows.length).toBeGreaterThan(50);
    for (const { process, variable, doc, accepts } of rows) {
      const line = page.split("\n").find((text) => text.startsWith(`| \`${variable}\` |`) && text.includes(doc));
      expect([process, variable, line === undefined]).toEqual([process, variable, false]);
      expect(line).toContain(accepts.replaceAll("|", "\\|"));
      expect(doc).toMatch(/^[A-Z`].{15,}[.]$/);
    }
  });

  it("names a shared setting once, with who reads it, and no value of a secret or folder of this machine", () => {
    const shared = setting.string("SHARED", { default: "a|b", doc: "What two of them read." });
    const secret = setting.string("HIDDEN", { default: "hunter2", secret: true, doc: "Nobody shall see it here." });
    const needed = setting.integer("NEEDED", { doc: "There is none without it." });
    const folder = setting.path("FOLDER", { default: join(root, "below"), doc: "A folder of the repository." });
    const page = settingsPage(root, { one: { shared, secret }, two: { shared, needed }, three: { folder } });
    expect(page.match(/`SHARED`/g)).toHaveLength(1);
    expect(page).toContain("| `SHARED` | `a\\|b` | text | What two of them read. | one, two |");
    expect(page).toContain("| `HIDDEN` | none | text; secret | Nobody shall see it here. |");
    expect(page).toContain("| `NEEDED` | **required** |");
    expect(page).toContain("| `FOLDER` | `below` |");
    expect(page).not.toContain("hunter2");
  });

  it("is checked in as the declarations are", () => {
    expect(readFileSync(join(root, "docs/reference/settings.md"), "utf8")).toBe(settingsPage(root));
  });
});

describe("the environment", () => {
  it("is read where settings are declared, and nowhere else", () => {
    const readers = ["contracts", "runtime", "services", "web/process", "web/main.ts"]
      .flatMap((path) => (path.endsWith(".ts") ? [path] : sourcesBelow(path)))
      .filter((path) => /process\s*\.\s*env\b|from "node:process"/.test(readFileSync(join(root, path), "utf8")));
    const allowed = (path: string) => path.endsWith("/config.ts") || tools.includes(path);
    expect(readers.filter((path) => !allowed(path))).toEqual([]);
    expect(readers).toContain("services/user/config.ts");
  });
});

/** What runs on a developer's machine only. */
const tools = ["contracts/generate.ts", "web/process/build.ts"];
