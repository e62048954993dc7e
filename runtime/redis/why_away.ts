// Why Redis cannot be used, in one sentence for its operator.

/** What is known of a connection that could not be made or that broke. */
export interface Absence {
  /** One sentence. */
  readonly why: string;
  /** Whether waiting will not help: a setting must be changed, here or there. */
  readonly misconfigured: boolean;
}

/** `error` is the last one that the connection gave; undefined when it was closed without a word. */
export function whyAway(error: unknown, { encrypted, greeted }: { encrypted: boolean; greeted: boolean }): Absence {
  const { code = "", message = "" } = (error ?? {}) as { code?: string; message?: string };
  if (
    /^(WRONGPASS|NOAUTH|ERR AUTH|ERR invalid password)/.test(message) ||
    /called without any password/.test(message)
  ) {
    return { why: "REDIS_URL: Redis refuses the user name or password.", misconfigured: true };
  }
  if (/^NOPERM/.test(message)) {
    return { why: `REDIS_URL: Redis does not permit its user what Docket needs (${message}).`, misconfigured: true };
  }
  if (/^ERR (invalid DB index|DB index is out of range)/.test(message)) {
    return { why: "REDIS_URL: Redis has no database of that number.", misconfigured: true };
  }
  if (/WRONG_VERSION_NUMBER|packet length too long|EPROTO/.test(`${code} ${message}`)) {
    return { why: "REDIS_URL begins with rediss:, but Redis does not speak TLS there.", misconfigured: true };
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return { why: "REDIS_URL: Redis shows a certificate for another name.", misconfigured: true };
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)/.test(code)) {
    return {
      why: `REDIS_URL: the certificate that Redis shows is not trusted (${code}); REDIS_CA names the authorities that are.`,
      misconfigured: true,
    };
  }
  if (/subscriber mode|\(P\|S\)SUBSCRIBE/.test(message)) {
    return { why: "REDIS_URL: Redis must be version 6 or newer, and permit HELLO.", misconfigured: true };
  }
  if (/^READONLY/.test(message)) {
    return { why: "REDIS_URL leads to a replica, which cannot be written.", misconfigured: true };
  }
  if (code === "ECONNREFUSED") return { why: "Nobody listens at REDIS_URL's address.", misconfigured: false };
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return { why: "The host of REDIS_URL cannot be found.", misconfigured: false };
  }
  // A server that speaks no TLS waits for the end of what it takes for a command, and one that speaks nothing else hangs up.
  if (!greeted && code === "ETIMEDOUT") {
    const hint = encrypted ? " Perhaps it speaks no TLS (redis:)." : "";
    return { why: `REDIS_URL's address does not answer.${hint}`, misconfigured: false };
  }
  if (!greeted && (error === undefined || code === "ECONNRESET")) {
    const hint = encrypted ? "" : " Perhaps it wants TLS (rediss:).";
    return { why: `Redis closed the connection before it greeted.${hint}`, misconfigured: false };
  }
  return { why: message === "" ? "Redis closed the connection." : `Redis: ${message}`, misconfigured: false };
}
