import { describe, expect, it } from "@jest/globals";
import { readConfig } from "./config.ts";

describe("the settings", () => {
  it("are right when none is given", () => {
    const config = readConfig({});
    expect(config).toMatchObject({ host: "127.0.0.1", port: 8080, publicUrl: undefined, tls: undefined, build: "dev" });
    expect(config.version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it.each([
    ["PORT", { PORT: "70000" }],
    ["PUBLIC_URL", { PUBLIC_URL: "docket.example.com" }],
    ["PUBLIC_URL", { PUBLIC_URL: "ftp://docket.example.com" }],
    ["PUBLIC_URL", { PUBLIC_URL: "https://docket.example.com/base" }],
    ["PUBLIC_URL", { PUBLIC_URL: "https://user:word@docket.example.com" }],
    ["TRUSTED_PROXIES", { TRUSTED_PROXIES: "10.0.0.0/8, proxy.example" }],
    ["TLS_KEY", { TLS_CERT: "/cert.pem" }],
    ["TLS_CERT", { TLS_KEY: "/key.pem" }],
    ["TLS_CERT", { TLS_CERT: "/not/there.pem", TLS_KEY: "/not/there.pem" }],
    ["RATE_LIMIT_PERCENT", { RATE_LIMIT_PERCENT: "-1" }],
    ["EDGE_IDLE_TIMEOUT", { EDGE_IDLE_TIMEOUT: "soon" }],
  ])("name the variable at fault: %s of %j", (variable, env) => {
    try {
      readConfig(env);
      throw new Error("not refused");
    } catch (error) {
      expect(error).toMatchObject({ name: "ConfigError", variable });
      expect((error as Error).message).toContain(variable);
      expect((error as Error).message.split("\n")).toHaveLength(1);
    }
  });
});
