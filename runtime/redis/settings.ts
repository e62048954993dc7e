// The settings of Redis, which every service has and none needs.

import { setting } from "../config.ts";

/** Where Redis is and how it is spoken to. */
export const redisSettings = {
  url: setting.string("REDIS_URL", {
    optional: true,
    secret: true,
    pattern: /^rediss?:\/\/./,
    accepts: "a URL that begins with redis: or rediss:",
    doc: "Redis 6 or newer, which replicas share: `rediss://user:password@host:6379/0`. Unset: each process does without it, which is right for one replica of each service.",
  }),
  ca: setting.path("REDIS_CA", {
    optional: true,
    doc: "A PEM file with the authorities that may vouch for Redis, where REDIS_URL begins with rediss:. Unset: those that Node trusts.",
  }),
  allowPlaintext: setting.boolean("REDIS_ALLOW_PLAINTEXT", {
    default: false,
    doc: "Whether Redis on another machine may be spoken to without TLS: only where the network itself encrypts.",
  }),
  prefix: setting.string("REDIS_PREFIX", {
    default: "docket:",
    pattern: /^[\w:.-]{1,64}$/,
    accepts: "up to 64 letters, digits, colons, points, hyphens and underscores",
    doc: "What all keys and channels begin with, so that several Dockets may share one Redis.",
  }),
};
