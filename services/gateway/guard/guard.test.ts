import { describe, expect, it } from "@jest/globals";
import { limitKey, plainAddress, TrustedProxies } from "./client_address.ts";
import { isCrossSite } from "./cross_site.ts";
import { requestIdOf } from "./request_id.ts";

describe("trusted proxies", () => {
  it("are addresses and ranges of both families", () => {
    const proxies = new TrustedProxies(["10.0.0.0/8", "192.168.1.1", "fd00::/8"]);
    for (const address of ["10.1.2.3", "192.168.1.1", "fd12::1"]) expect(proxies.trusts(address)).toBe(true);
    for (const address of ["11.0.0.1", "192.168.1.2", "fe80::1", "", "nonsense"])
      expect(proxies.trusts(address)).toBe(false);
  });

  it.each(["10.0.0.0/33", "10.0.0/8", "host.example", "10.0.0.0/8/8", "::1/129", "10.0.0.0/x"])(
    "%s is none",
    (range) => {
      expect(() => new TrustedProxies([range])).toThrow(RangeError);
    },
  );

  it("are walked from the nearest outwards, and no further than trust goes", () => {
    const proxies = new TrustedProxies(["10.0.0.0/8"]);
    expect(proxies.clientOf("10.0.0.1", "1.1.1.1, 2.2.2.2, 10.0.0.2")).toBe("2.2.2.2");
    expect(proxies.clientOf("9.9.9.9", "1.1.1.1")).toBe("9.9.9.9");
    expect(proxies.clientOf("10.0.0.1", undefined)).toBe("10.0.0.1");
    expect(proxies.clientOf("10.0.0.1", "10.0.0.5")).toBe("10.0.0.5");
    expect(proxies.clientOf("10.0.0.1", `${"1.1.1.1,".repeat(1000)}2.2.2.2`)).toBe("2.2.2.2");
    expect(proxies.clientOf("::ffff:10.0.0.1", "[2001:db8::1]:443")).toBe("2001:db8::1");
  });
});

describe("an address", () => {
  it.each([
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["1.2.3.4:5678", "1.2.3.4"],
    ["[::1]:80", "::1"],
    ["fe80::1%eth0", "fe80::1"],
  ])("%s is %s", (given, plain) => {
    expect(plainAddress(given)).toBe(plain);
  });

  it.each([
    ["1.2.3.4", "1.2.3.4"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
  ])("%s is limited as %s", (address, key) => {
    expect(limitKey(address)).toBe(key);
  });
});

describe("a request id", () => {
  it("is taken from whom one trusts when it is well-formed, and made otherwise", () => {
    const make = () => "made";
    expect(requestIdOf("0123456789", true, make)).toBe("0123456789");
    for (const id of [undefined, "short", "x".repeat(65), "with space", "a\nb-c-d-e-f", ["0123456789"]])
      expect(requestIdOf(id, true, make)).toBe("made");
    expect(requestIdOf("0123456789", false, make)).toBe("made");
  });
});

describe("a request of a foreign site", () => {
  const request = {
    method: "POST",
    headers: { "content-type": "application/json" },
    host: "docket.example:8080",
    cookie: true,
  };
  const withHeaders = (headers: Record<string, string>) => ({
    ...request,
    headers: { ...request.headers, ...headers },
  });

  it.each([
    ["no word of its site", withHeaders({}), false],
    ["its own origin", withHeaders({ origin: "http://docket.example:8080" }), false],
    [
      "its own origin in capitals",
      { ...withHeaders({ origin: "http://docket.example:8080" }), host: "Docket.Example:8080" },
      false,
    ],
    ["another port", withHeaders({ origin: "http://docket.example" }), true],
    ["no origin at all", withHeaders({ origin: "null" }), true],
    ["an origin that is no URL", withHeaders({ origin: "x" }), true],
    ["a subdomain", withHeaders({ origin: "http://a.docket.example:8080" }), true],
    ["same-origin by the browser's word", withHeaders({ "sec-fetch-site": "same-origin" }), false],
    ["a typed address", withHeaders({ "sec-fetch-site": "none" }), false],
    ["same-site", withHeaders({ "sec-fetch-site": "same-site" }), true],
    ["a form's type", withHeaders({ "content-type": "Text/Plain;charset=UTF-8" }), true],
    [
      "a form's type and a header of our own",
      withHeaders({ "content-type": "text/plain", "tus-resumable": "1.0.0" }),
      false,
    ],
    ["a form's type without a cookie", { ...withHeaders({ "content-type": "text/plain" }), cookie: false }, false],
    [
      "a foreign script's fetch",
      { ...withHeaders({ "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors" }), method: "GET" },
      true,
    ],
    [
      "a foreign link",
      { ...withHeaders({ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }), method: "GET" },
      false,
    ],
  ])("is told by %s", (_name, asked, refused) => {
    expect(isCrossSite(asked, undefined)).toBe(refused);
  });

  it("is whatever is not the public origin, where one is set", () => {
    expect(isCrossSite(withHeaders({ origin: "https://docket.example" }), "https://docket.example")).toBe(false);
    expect(isCrossSite(withHeaders({ origin: "http://docket.example:8080" }), "https://docket.example")).toBe(true);
  });
});
