// Texts come with what says them. A module that names a key of an area brings that area's texts with it, so a page loads
// the areas that it and its parts speak of, and no other. The server has all of them.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../app/texts/en/", import.meta.url));
const index = fileURLToPath(new URL("../app/texts/index.ts", import.meta.url));
const prefix = "docket:texts/";
/** What every page has: texts/index.ts brings it by itself. */
const everywhere = "common";

/** A Vite plugin. Keys are written out at least to their first dot. */
export function textsByArea() {
  const { mentions, areaOf } = keysOfAreas();
  const areas = [...new Set(areaOf.values())];
  return {
    name: "docket:texts-by-area",
    enforce: "post" as const,
    resolveId(id: string): string | undefined {
      return id.startsWith(prefix) ? `\0${id}` : undefined;
    },
    load(id: string): string | undefined {
      if (!id.startsWith(`\0${prefix}`)) return undefined;
      const area = id.slice(prefix.length + 1);
      const file = JSON.stringify(`${folder}${area}.json`);
      return `import { addTexts } from ${JSON.stringify(index)};\nimport en from ${file};\naddTexts({ en });`;
    },
    transform(code: string, id: string, options?: { ssr?: boolean }): { code: string; map: null } | undefined {
      if (options?.ssr) return id === index ? { code: withAll(code, areas), map: null } : undefined;
      if (!/\/web\/(app|test)\/[^?]*\.(vue|ts)(\?|$)/.test(id) || /\/texts\/|type=style|macro=true/.test(id))
        return undefined;
      const said = new Set([...code.matchAll(mentions)].map(([, key = ""]) => areaOf.get(key.replace(/\.$/, ""))));
      if (said.size === 0) return undefined;
      return { code: `${[...said].map((area) => `import "${prefix}${area}";`).join("")}${code}`, map: null };
    },
  };
}

/** The index with every area. */
function withAll(code: string, areas: readonly string[]): string {
  const imports = areas.map((area, at) => `import area${at} from ${JSON.stringify(`${folder}${area}.json`)};`);
  return `${imports.join("")}${code}\n${areas.map((_, at) => `addTexts({ en: area${at} });`).join("")}`;
}

/** The first parts of all keys with their areas, and how a module mentions one: `"listing.` or `"somebody"`. */
function keysOfAreas(): { mentions: RegExp; areaOf: Map<string, string> } {
  const areaOf = new Map<string, string>();
  const written: string[] = [];
  for (const file of readdirSync(folder)) {
    const area = file.replace(/\.json$/, "");
    if (area === everywhere) continue;
    const texts = JSON.parse(readFileSync(folder + file, "utf8")) as Record<string, unknown>;
    for (const [key, value] of Object.entries(texts)) {
      areaOf.set(key, area);
      written.push(typeof value === "string" ? `${key}(?=["'\`])` : `${key}\\.`);
    }
  }
  return { mentions: new RegExp(`["'\`](${written.join("|")})`, "g"), areaOf };
}
