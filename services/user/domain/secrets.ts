/** How many random bytes a session, link or key secret is made of. */
export const secretBytes = 32;

/** Bytes in the alphabet of links and headers. */
export function encodeSecret(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

/** The text of an API key's secret: `dk_<key id without dashes>_<random>`. */
export function formatKeySecret(keyId: string, random: Uint8Array): string {
  return `dk_${keyId.replaceAll("-", "")}_${encodeSecret(random)}`;
}

/** The key's id in the text of a secret, or undefined for anything else. */
export function parseKeySecret(text: string): string | undefined {
  const hex = /^dk_([0-9a-f]{32})_[A-Za-z0-9_-]{43}$/.exec(text)?.[1];
  return hex?.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** What is shown of a secret later, to tell two apart. */
export function endingOf(text: string): string {
  return text.slice(-4);
}

/** How many live secrets a key may have, so that clients can change over. */
export const maxLiveSecrets = 2;
