// The user service's settings, each declared once.

import { Workload } from "@docket/contracts/gen/docket/policy/v1/policy_pb.ts";
import { ConfigError, readSettings, setting, type Values } from "@docket/runtime/config";
import { keyEncryptionSettings, keySecretOf } from "@docket/runtime/key_encryption";
import { serviceSettings, workerSettings } from "@docket/runtime/service_settings";

const day = 86_400_000;

export const settings = {
  ...serviceSettings(Workload.USER),
  worker: workerSettings,
  edge: {
    publicUrl: setting.url("PUBLIC_URL", {
      optional: true,
      schemes: ["http", "https"],
      doc: "Where browsers and clients find the edge; links in invitations and mails begin with it. Unset: http://HOST:PORT.",
    }),
    host: setting.string("HOST", {
      default: "127.0.0.1",
      doc: "Where the edge listens, for links while PUBLIC_URL is unset.",
    }),
    port: setting.integer("PORT", {
      default: 8080,
      min: 0,
      max: 65_535,
      doc: "The port of the edge, for links while PUBLIC_URL is unset.",
    }),
  },
  signUp: setting.choice("SIGN_UP", ["open", "invitation"], {
    default: "open",
    doc: "Who may make an account: anybody, or whoever holds an invitation. The very first account may always be made.",
  }),
  sessions: {
    idleMs: setting.duration("SESSION_IDLE_TIMEOUT", {
      default: "14d",
      min: 60_000,
      max: 365 * day,
      doc: "A session that is not used for so long ends.",
    }),
    lifeMs: setting.duration("SESSION_LIFETIME", {
      default: "90d",
      min: 60_000,
      max: 365 * day,
      doc: "A session ends after so long, however much it is used.",
    }),
  },
  mail: {
    smtpUrl: setting.url("SMTP_URL", {
      optional: true,
      secret: true,
      schemes: ["smtp", "smtps"],
      doc: "The mail server, for example smtps://user:password@mail.example.com. Unset: no mail; links are copied by hand, and signing up tells whether an address has an account.",
    }),
    from: setting.string("MAIL_FROM", {
      default: "Docket <docket@localhost>",
      doc: "Who mails come from.",
    }),
  },
  keyEncryption: keyEncryptionSettings("encrypt signing keys and make links"),
  signingKeyRotationMs: setting.duration("SIGNING_KEY_ROTATION", {
    default: "30d",
    min: 3_600_000,
    max: 365 * day,
    doc: "How long a key signs tokens before the next one takes over.",
  }),
  workspaceQuotaBytes: setting.bytes("WORKSPACE_QUOTA", {
    default: "100GiB",
    min: 0,
    doc: "How many bytes the contents of a workspace made from now on may take up; 0: no limit.",
  }),
  maxFileBytes: setting.bytes("WORKSPACE_MAX_FILE_SIZE", {
    default: "20GiB",
    min: 0,
    doc: "The largest file of a workspace made from now on; 0: no limit.",
  }),
};

/** The user service's configuration, checked. */
export type UserConfig = Values<typeof settings>;

/** Reads and checks the settings. Throws ConfigError naming the first that is wrong. */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): UserConfig {
  const config = readSettings(settings, env);
  keySecretOf(config);
  if (config.sessions.idleMs > config.sessions.lifeMs) {
    throw new ConfigError("SESSION_IDLE_TIMEOUT", "SESSION_IDLE_TIMEOUT must not be longer than SESSION_LIFETIME.");
  }
  return config;
}

/**
 * Where links begin, without a slash at the end. `edgeUrl` is where the edge was found to listen, which says more than the
 * settings: its port where PORT is 0, and whether it has a certificate.
 */
export function publicUrlOf({ edge }: UserConfig, edgeUrl?: string): string {
  if (edge.publicUrl !== undefined) return edge.publicUrl.href.replace(/\/+$/, "");
  if (edgeUrl !== undefined) return edgeUrl;
  const host = edge.host === "0.0.0.0" || edge.host === "::" ? "127.0.0.1" : edge.host;
  return `http://${host.includes(":") ? `[${host}]` : host}:${edge.port}`;
}

export { keySecretOf };
