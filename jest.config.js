// Four projects: `fast` holds the tests that stand beside what they test and answers within a minute (`npm run
// test:fast`); `services` asks each service over real gRPC and a real database; `journeys` starts the whole mesh,
// and `portal` looks at its pages in a browser, all at one that is started once.
// `real` asks what only MariaDB, Redis or an S3 server can answer, each started by the tests themselves.
// `npm test` runs all but `real`, with coverage over all; `npm run e2e:real` runs that, and services and journeys again.
import { missingChromium } from "./e2e/portal/chromium.ts";

// In CI nothing is left out: there the run fails.
const missing = missingChromium();
if (missing) process.stderr.write(`!!! SKIPPED, the tests of the portal. ${missing}\n`);

// What stands on a database server, Redis or S3 is asked apart, since it needs them on the machine.
if (!process.argv.includes("real")) {
  process.stderr.write(
    "!!! NOT COVERED HERE: MariaDB, MySQL, Redis, S3, several replicas. `npm run e2e:real` does that.\n",
  );
}

const base = {
  rootDir: import.meta.dirname,
  testEnvironment: "node",
  transform: {},
  extensionsToTreatAsEsm: [".ts"],
  moduleFileExtensions: ["ts", "js", "mjs", "json", "node"],
  testPathIgnorePatterns: [
    "/node_modules/",
    "/\\.staging-",
    "<rootDir>/web/(?!process/)",
    "/\\.docket/",
    "\\.real\\.test\\.ts$",
  ],
  modulePathIgnorePatterns: ["/\\.staging-", "/\\.docket/", "<rootDir>/web/\\.(output|nuxt)/"],
};

const portal = {
  ...base,
  displayName: "portal",
  testMatch: ["<rootDir>/e2e/portal/**/*.test.ts"],
  globalSetup: "<rootDir>/e2e/portal/global_setup.ts",
  globalTeardown: "<rootDir>/e2e/portal/global_teardown.ts",
  setupFilesAfterEnv: ["<rootDir>/e2e/portal/setup.ts"],
};

export default {
  // Generous, since it costs time only when something hangs; no test measures time.
  testTimeout: 60_000,
  // Most of a test's time is waiting for disk and processes, so two share even a small machine.
  maxWorkers: 2,
  rootDir: import.meta.dirname,
  coverageProvider: "v8",
  collectCoverageFrom: [
    "{contracts,mesh/src,runtime,services,web/process}/**/*.ts",
    "!**/node_modules/**",
    "!**/*.test.ts",
    "!**/test/**",
    "!contracts/gen/**",
    "!**/.staging-*/**",
  ],
  coverageReporters: ["text-summary", "json-summary", "lcovonly"],
  coverageThreshold: { global: { lines: 85 } },
  projects: [
    {
      ...base,
      displayName: "fast",
      testMatch: ["<rootDir>/{argocd,contracts,infra,mesh,observability,runtime,services,web/process}/**/*.test.ts"],
      testPathIgnorePatterns: [
        ...base.testPathIgnorePatterns,
        "/services/[a-z]+/test/",
        "/contracts/generate\\.test\\.ts$",
        "/mesh/test/new_rpc\\.test\\.ts$",
        "/infra/delivery/",
      ],
    },
    {
      ...base,
      displayName: "services",
      testMatch: [
        "<rootDir>/services/*/test/**/*.test.ts",
        "<rootDir>/contracts/generate.test.ts",
        "<rootDir>/mesh/test/new_rpc.test.ts",
      ],
    },
    {
      ...base,
      displayName: "journeys",
      testMatch: ["<rootDir>/{e2e,examples,docs,infra/delivery}/**/*.test.ts"],
      testPathIgnorePatterns: [...base.testPathIgnorePatterns, "<rootDir>/e2e/portal/"],
    },
    ...(missing ? [] : [portal]),
    {
      ...base,
      displayName: "real",
      testMatch: ["<rootDir>/{runtime,services,e2e}/**/*.real.test.ts"],
      testPathIgnorePatterns: base.testPathIgnorePatterns.filter((pattern) => !pattern.includes("real")),
    },
  ],
};
