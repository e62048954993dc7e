import { describe, expect, it } from "@jest/globals";
import { isAbsolute } from "node:path";
import { inspect } from "node:util";
import { ConfigError, readSettings, Secret, setting, settingsReference } from "./config.ts";

const settings = {
  port: setting.integer("PORT", { default: 8080, min: 0, max: 65535, doc: "The port." }),
  database: {
    url: setting.url("DATABASE_URL", {
      optional: true,
      secret: true,
      schemes: ["mysql", "sqlite"],
      doc: "The database.",
    }),
    pool: setting.integer("DATABASE_POOL", { default: 10, min: 1, doc: "Connections." }),
  },
  uploadExpiry: setting.duration("UPLOAD_EXPIRY", { default: "24h", min: 60_000, doc: "When uploads end." }),
  maxFile: setting.bytes("MAX_FILE_SIZE", { default: "5GiB", doc: "The largest file." }),
  open: setting.boolean("SIGN_UP_OPEN", { default: true, doc: "Whether anybody may sign up." }),
  level: setting.choice("LOG_LEVEL", ["info", "warn"], { default: "info", doc: "What is logged." }),
  publicUrl: setting.url("PUBLIC_URL", { optional: true, schemes: ["http", "https"], doc: "The address." }),
  proxies: setting.list("TRUSTED_PROXIES", { default: [], doc: "Proxies." }),
  dataDir: setting.path("DOCKET_DATA_DIR", { default: ".docket", doc: "The folder." }),
};

function errorOf(env: Record<string, string>): ConfigError {
  try {
    readSettings(settings, env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("readSettings", () => {
  it("takes defaults for what is unset or empty, and ignores what it does not know", () => {
    const values = readSettings(settings, { PORT: "", UNKNOWN: "x" });
    expect(values.port).toBe(8080);
    expect(values.database).toEqual({ url: undefined, pool: 10 });
    expect(values.uploadExpiry).toBe(86_400_000);
    expect(values.maxFile).toBe(5 * 2 ** 30);
    expect(values.open).toBe(true);
    expect(values.proxies).toEqual([]);
    expect(isAbsolute(values.dataDir)).toBe(true);
  });

  it("reads every kind", () => {
    const values = readSettings(settings, {
      PORT: "0",
      DATABASE_URL: "mysql://docket:hunter2@db/docket",
      UPLOAD_EXPIRY: "90 m",
      MAX_FILE_SIZE: "5gb",
      SIGN_UP_OPEN: "off",
      LOG_LEVEL: " warn ",
      PUBLIC_URL: "https://docket.example",
      TRUSTED_PROXIES: "10.0.0.0/8, ,::1",
      DOCKET_DATA_DIR: "/var/lib/docket",
    });
    expect(values.port).toBe(0);
    expect(values.database.url?.reveal().password).toBe("hunter2");
    expect(values.uploadExpiry).toBe(5_400_000);
    expect(values.maxFile).toBe(5_000_000_000);
    expect(values.open).toBe(false);
    expect(values.level).toBe("warn");
    expect(values.publicUrl?.host).toBe("docket.example");
    expect(values.proxies).toEqual(["10.0.0.0/8", "::1"]);
    expect(values.dataDir).toBe("/var/lib/docket");
  });

  it("says in one sentence which variable is wrong and what is accepted", () => {
    expect(errorOf({ PORT: "70000" }).message).toBe('PORT must be a whole number from 0 to 65535, and is "70000".');
    expect(errorOf({ PORT: "8080x" }).variable).toBe("PORT");
    expect(errorOf({ UPLOAD_EXPIRY: "30s" }).message).toContain("of at least 1m");
    expect(errorOf({ MAX_FILE_SIZE: "5 apples" }).message).toContain("MAX_FILE_SIZE must be a size such as");
    expect(errorOf({ MAX_FILE_SIZE: "999999999999TiB" }).variable).toBe("MAX_FILE_SIZE");
    expect(errorOf({ LOG_LEVEL: "loud" }).message).toBe('LOG_LEVEL must be one of info, warn, and is "loud".');
    expect(errorOf({ SIGN_UP_OPEN: "perhaps\n" }).message).toBe(
      'SIGN_UP_OPEN must be true or false, and is "perhaps".',
    );
    expect(errorOf({ DOCKET_DATA_DIR: "a\0b" }).variable).toBe("DOCKET_DATA_DIR");
  });

  it("never shows a secret or a URL, which may hold a password", () => {
    expect(errorOf({ DATABASE_URL: "postgres://docket:hunter2@db" }).message).not.toContain("hunter2");
    expect(errorOf({ PUBLIC_URL: "ftp://me:hunter2@host" }).message).not.toContain("hunter2");
  });

  it("refuses to go without a variable that is required", () => {
    const required = { key: setting.string("SIGNING_KEY", { secret: true, doc: "A key." }) };
    expect(() => readSettings(required, {})).toThrow("SIGNING_KEY must be set: text.");
    expect(readSettings(required, { SIGNING_KEY: " k " }).key.reveal()).toBe(" k ");
  });

  it("finds a default that breaks its own rule when it is declared", () => {
    expect(() => setting.integer("N", { default: 3, max: 2, doc: "" })).toThrow("N must be");
  });
});

describe("Secret", () => {
  it("redacts itself wherever it is printed", () => {
    const secret = new Secret("hunter2");
    expect(
      [`${secret}`, JSON.stringify({ secret }), inspect({ secret }, { depth: 5, showHidden: true })].join(),
    ).not.toContain("hunter2");
    expect(secret.reveal()).toBe("hunter2");
  });
});

describe("settingsReference", () => {
  it("has a row for each setting, nested ones too, without the defaults of secrets", () => {
    const rows = settingsReference({
      ...settings,
      s: setting.string("S", { default: "hunter2", secret: true, doc: "" }),
    });
    expect(rows.map((row) => row.variable)).toContain("DATABASE_POOL");
    expect(rows.find((row) => row.variable === "PORT")).toEqual({
      variable: "PORT",
      accepts: "a whole number from 0 to 65535",
      default: "8080",
      required: false,
      secret: false,
      doc: "The port.",
    });
    expect(JSON.stringify(rows)).not.toContain("hunter2");
  });
});
