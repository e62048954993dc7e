// The document service's settings, each declared once.
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { readSettings, setting, type Values } from "@docket/runtime/config";
import { serviceSettings, workerSettings } from "@docket/runtime/service_settings";

export const settings = {
  ...serviceSettings(Workload.DOCUMENT),
  worker: workerSettings,
  changesKeptMs: setting.duration("DOCUMENT_CHANGES_KEPT", {
    default: "90d",
    min: 3_600_000,
    doc: "How long the log of changes is kept; a cursor that is older gets CURSOR_EXPIRED.",
  }),
  operationsKeptMs: setting.duration("DOCUMENT_OPERATIONS_KEPT", {
    default: "30d",
    min: 60_000,
    doc: "How long operations are kept after their end.",
  }),
  remindAt: setting.string("DOCUMENT_REMIND_AT", {
    default: "08:00",
    pattern: /^([01]\d|2[0-3]):[0-5]\d$/,
    accepts: "a time of day such as 08:00",
    doc: "When tasks that are due are told of, in the time zone of their workspace.",
  }),
  retention: {
    trashKeptMs: setting.duration("DOCUMENT_TRASH_KEPT", {
      default: "30d",
      min: 0,
      doc: "How long documents and folders lie in the trash before they are removed for good; 0d: until somebody removes them.",
    }),
    versionsDailyAfterMs: setting.duration("DOCUMENT_VERSIONS_DAILY_AFTER", {
      default: "0d",
      min: 0,
      doc: "Of versions older than this only the newest of each day stays, and whatever is labelled, commented on or part of a task; 0d: all stay.",
    }),
    versionsMonthlyAfterMs: setting.duration("DOCUMENT_VERSIONS_MONTHLY_AFTER", {
      default: "0d",
      min: 0,
      doc: "Of versions older than this only the newest of each month stays, as above; 0d: as DOCUMENT_VERSIONS_DAILY_AFTER says.",
    }),
  },
  references: {
    intervalMs: setting.duration("DOCUMENT_REFERENCES_INTERVAL", {
      default: "60s",
      min: 10,
      doc: "How often references that storage holds for versions of unfinished calls are settled.",
    }),
    ageMs: setting.duration("DOCUMENT_REFERENCES_AGE", {
      default: "60s",
      min: 40_000,
      doc: "How old such a reference must be; above the longest call that makes a version.",
    }),
  },
};

/** The document service's configuration, checked. */
export type DocumentConfig = Values<typeof settings>;

/** Reads and checks the settings. Throws ConfigError naming the first that is wrong. */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): DocumentConfig {
  return readSettings(settings, env);
}
