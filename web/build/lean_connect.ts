// The portal calls in protobuf's binary form only. Connect's transport could speak JSON as well, which nothing asks it to;
// the code for that is left out of what the browser loads.

const connectModules = /\/@connectrpc\/connect(-web)?\/dist\/esm\/.*\.js(\?|$)/;
const protobufImport = /import \{([^}]*)\} from "@bufbuild\/protobuf";/;
const jsonNames = /^(from|to)Json(String)?$/;

/** A Vite plugin for builds. In the browser, a transport that is made for JSON throws. */
export function binaryOnly() {
  return {
    name: "docket:binary-only",
    enforce: "pre" as const,
    apply: "build" as const,
    transform(code: string, id: string, options?: { ssr?: boolean }): { code: string; map: null } | undefined {
      if (options?.ssr || !connectModules.test(id)) return undefined;
      const lean = withoutJson(code);
      return lean === code ? undefined : { code: lean, map: null };
    },
  };
}

/** The module without what it takes from protobuf for JSON. */
export function withoutJson(code: string): string {
  return code.replace(protobufImport, (whole, list: string) => {
    const names = list
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "");
    const json = names.filter((name) => jsonNames.test(name));
    if (json.length === 0) return whole;
    const kept = names.filter((name) => !jsonNames.test(name));
    const thrown = json.map((name) => `function ${name}() { throw new Error("no JSON in the browser"); }`);
    return [kept.length > 0 ? `import { ${kept.join(", ")} } from "@bufbuild/protobuf";` : "", ...thrown].join("\n");
  });
}
