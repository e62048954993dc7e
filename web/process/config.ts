// The settings of the portal's process, each declared once.

import { fileURLToPath } from "node:url";
import { readSettings, setting, type Values } from "@docket/runtime/config";
import { processSettings } from "@docket/runtime/service_settings";

const { dataDir, logLevel, mesh, telemetry } = processSettings;

export const settings = {
  dataDir,
  logLevel,
  mesh,
  telemetry,
  listen: {
    host: setting.string("WEB_HOST", {
      default: "127.0.0.1",
      doc: "The address that the portal's process listens on for the edge.",
    }),
    port: setting.integer("WEB_PORT", {
      default: 7106,
      min: 0,
      max: 65_535,
      doc: "The port that the portal's process listens on; 0 takes a free one.",
    }),
  },
  gatewayAddress: setting.string("GATEWAY_INNER_ADDRESS", {
    default: "127.0.0.1:7105",
    pattern: /^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+):\d{1,5}$/,
    accepts: "host:port",
    doc: "Where the edge takes the calls of the portal's process (its EDGE_INNER_PORT).",
  }),
  output: setting.path("WEB_OUTPUT", {
    default: fileURLToPath(new URL("../.output", import.meta.url)),
    doc: "The folder with the portal's build, as `npm run build` makes it.",
  }),
  callMs: setting.duration("WEB_CALL_TIMEOUT", {
    default: "10s",
    min: 1,
    doc: "How long the edge has to begin the answer to a call that a page needs.",
  }),
  drainMs: setting.duration("WEB_DRAIN_TIMEOUT", {
    default: "10s",
    min: 0,
    doc: "How long pages under way may take to finish when the process stops.",
  }),
};

/** The configuration of the portal's process, checked. */
export type WebConfig = Values<typeof settings>;

/** Reads and checks the settings. Throws ConfigError naming the first that is wrong. */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): WebConfig {
  return readSettings(settings, env);
}
