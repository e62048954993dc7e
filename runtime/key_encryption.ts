// The secret with which a service encrypts what it must keep secret at rest: declared, read and checked in one way.

import { readFileSync } from "node:fs";
import { ConfigError, type Secret, setting } from "./config.ts";

/** The settings of a service that has such a secret; `what` completes "At least 32 characters that …". */
export function keyEncryptionSettings(what: string) {
  return {
    secret: setting.string("KEY_ENCRYPTION_SECRET", {
      optional: true,
      secret: true,
      doc: `At least 32 characters that ${what}; the same for all replicas. Unset: a file in the data folder.`,
    }),
    file: setting.path("KEY_ENCRYPTION_SECRET_FILE", {
      optional: true,
      doc: "A file that holds KEY_ENCRYPTION_SECRET, for secrets that are mounted.",
    }),
  };
}

interface KeyEncryption {
  readonly keyEncryption: { readonly secret: Secret | undefined; readonly file: string | undefined };
}

/**
 * The secret that is set, directly or as a file; undefined when the data folder's file shall do. Throws ConfigError when
 * the file cannot be read or the secret is too short.
 */
export function keySecretOf({ keyEncryption: { secret, file } }: KeyEncryption): string | undefined {
  const found = secret?.reveal() ?? (file === undefined ? undefined : contentOf(file));
  if (found !== undefined && found.length < 32) {
    throw new ConfigError("KEY_ENCRYPTION_SECRET", "KEY_ENCRYPTION_SECRET must have at least 32 characters.");
  }
  return found;
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    throw new ConfigError("KEY_ENCRYPTION_SECRET_FILE", "KEY_ENCRYPTION_SECRET_FILE must be a file that can be read.");
  }
}
