// The integration service's settings, each declared once.
import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { ConfigError, readSettings, setting, type Values } from "@docket/runtime/config";
import { keyEncryptionSettings, keySecretOf } from "@docket/runtime/key_encryption";
import { serviceSettings } from "@docket/runtime/service_settings";
import { createAddressRules } from "./egress/addresses.ts";

const day = 86_400_000;

export const settings = {
  ...serviceSettings(Workload.INTEGRATION),
  egress: {
    allowedRanges: setting.list("WEBHOOK_ALLOWED_RANGES", {
      default: [],
      doc: "Addresses that webhooks may go to although they are not public, such as 10.1.0.0/16 or fd00::/8. Whoever may make webhooks can then send requests there.",
    }),
    deniedRanges: setting.list("WEBHOOK_DENIED_RANGES", {
      default: [],
      doc: "Addresses that webhooks may not go to although they are public, such as your own; stands above WEBHOOK_ALLOWED_RANGES.",
    }),
    allowHttp: setting.boolean("WEBHOOK_ALLOW_HTTP", {
      default: false,
      doc: "Whether webhooks may go to http: URLs too. Changes then travel unencrypted.",
    }),
    timeoutMs: setting.duration("WEBHOOK_TIMEOUT", {
      default: "10s",
      min: 100,
      max: 30_000,
      doc: "How long a receiver may take to answer, the connection included.",
    }),
  },
  delivery: {
    retryMs: setting.duration("WEBHOOK_RETRY_FOR", {
      default: "3d",
      min: 1000,
      max: 30 * day,
      doc: "How long a delivery that fails is tried again before it is parked.",
    }),
    firstPauseMs: setting.duration("WEBHOOK_FIRST_PAUSE", {
      default: "5s",
      min: 10,
      max: 3_600_000,
      doc: "The pause after the first failed attempt of a delivery; it doubles up to 3h.",
    }),
    disableMs: setting.duration("WEBHOOK_DISABLE_AFTER", {
      default: "5d",
      min: 1000,
      max: 365 * day,
      doc: "A webhook whose every attempt has failed for so long is disabled.",
    }),
    keptMs: setting.duration("WEBHOOK_LOG_KEPT", {
      default: "30d",
      min: 60_000,
      max: 3650 * day,
      doc: "How long deliveries are kept in a webhook's log after their end; parked ones can be sent again until then.",
    }),
    mostWaiting: setting.integer("WEBHOOK_MAX_WAITING", {
      default: 50_000,
      min: 100,
      max: 10_000_000,
      doc: "A webhook for which more deliveries wait is disabled.",
    }),
    concurrency: setting.integer("WEBHOOK_CONCURRENCY", {
      default: 4,
      min: 1,
      max: 100,
      doc: "How many deliveries to one webhook are under way at once.",
    }),
    webhooksAtOnce: setting.integer("WEBHOOKS_AT_ONCE", {
      default: 64,
      min: 1,
      max: 1000,
      doc: "How many webhooks one process delivers to at once.",
    }),
  },
  webhooksPerWorkspace: setting.integer("WEBHOOKS_PER_WORKSPACE", {
    default: 20,
    min: 1,
    max: 1000,
    doc: "How many webhooks a workspace may have.",
  }),
  keyEncryption: keyEncryptionSettings("encrypt the secrets of webhooks"),
};

/** The integration service's configuration, checked. */
export type IntegrationConfig = Values<typeof settings>;

/** Reads and checks the settings. Throws ConfigError naming the first that is wrong. */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): IntegrationConfig {
  const config = readSettings(settings, env);
  refuseNoRanges("WEBHOOK_ALLOWED_RANGES", config.egress.allowedRanges);
  refuseNoRanges("WEBHOOK_DENIED_RANGES", config.egress.deniedRanges);
  keySecretOf(config);
  return config;
}

function refuseNoRanges(variable: string, ranges: readonly string[]): void {
  try {
    createAddressRules({ allowed: ranges, denied: [] });
  } catch (error) {
    const wrong = JSON.stringify((error as RangeError).message);
    throw new ConfigError(
      variable,
      `${variable} must be addresses or CIDR ranges separated by commas, and ${wrong} is neither.`,
    );
  }
}

export { keySecretOf };
