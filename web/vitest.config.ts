// Tests of composables and components, in a Nuxt app with the portal's own plugins and auto-imports, a happy-dom window
// and an edge in memory (test/portal.ts). A file that needs no app begins with `// @vitest-environment node`.

import { fileURLToPath } from "node:url";
import { defineVitestConfig } from "@nuxt/test-utils/config";

const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineVitestConfig({
  test: {
    environment: "nuxt",
    environmentOptions: {
      nuxt: {
        rootDir: folder("."),
        domEnvironment: "happy-dom",
        // Beside the one of the development server, which may be running.
        overrides: { buildDir: folder("node_modules/.cache/test"), telemetry: false },
      },
    },
    include: ["test/**/*.test.ts"],
    setupFiles: [folder("test/setup.ts")],
    reporters: process.env.CI ? ["default", "json"] : ["default"],
    outputFile: folder("../coverage/portal.json"),
    // Two processes share even a small machine; each starts the app once for each file.
    maxWorkers: 2,
    // Generous, since it costs time only when something hangs.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
