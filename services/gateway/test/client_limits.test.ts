// How often a client may ask, and what it is told when it asks more often.

import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { DocumentService } from "@docket/contracts/gen/docket/document/v1/document_service_pb.ts";
import { ErrorInfoSchema } from "@docket/contracts/gen/docket/error/v1/error_info_pb.ts";
import { Reason } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";
import { newId } from "@docket/runtime/ids";
import { describe, expect, it } from "@jest/globals";
import { startWorld } from "./world.ts";

describe("limits per client", () => {
  it("refuse with RATE_LIMITED and say how long to wait, in every protocol", async () => {
    await using limited = await startWorld({ RATE_LIMIT_PERCENT: "1" });
    const headers = { authorization: `Bearer ${limited.users.signIn().secret}` };
    const fails = async (call: () => Promise<unknown>) => {
      for (let n = 0; n < 50; n += 1) {
        const error = await call().then(
          () => undefined,
          (fault) => ConnectError.from(fault),
        );
        if (error !== undefined) return error;
      }
      throw new Error("never refused");
    };
    for (const transport of [
      createConnectTransport({ baseUrl: limited.url, httpVersion: "1.1" }),
      createGrpcTransport({ baseUrl: limited.url }),
    ]) {
      const error = await fails(() =>
        createClient(DocumentService, transport).getDocument({ documentId: newId() }, { headers }),
      );
      expect(error.code).toBe(Code.ResourceExhausted);
      const [info] = error.findDetails(ErrorInfoSchema);
      expect(info).toMatchObject({ reason: Reason.RATE_LIMITED, metadata: { class: "READ" } });
      expect(info?.retryAfter).toBeDefined();
      expect(Number(error.metadata.get("retry-after"))).toBeGreaterThan(0);
    }
    const download = await fetch(`${limited.url}/files/documents/${newId()}`, { headers });
    const again = await Promise.all(
      Array.from({ length: 20 }, () => fetch(`${limited.url}/files/documents/${newId()}`, { headers })),
    );
    const refused = [download, ...again].find(({ status }) => status === 429);
    expect(await refused?.json()).toMatchObject({ reason: "RATE_LIMITED" });
    expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
  });

  it("count passwords by address, and one person's limit is not another's", async () => {
    await using limited = await startWorld({ RATE_LIMIT_PERCENT: "10" });
    const signIn = () =>
      fetch(`${limited.url}/docket.user.v1.SessionService/SignIn`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ email: "a@b.example", password: "wrong" }),
      });
    const statuses = [];
    for (let n = 0; n < 5; n += 1) statuses.push((await signIn()).status);
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    const mine = { authorization: `Bearer ${limited.users.signIn().secret}` };
    expect((await fetch(`${limited.url}/files/documents/${newId()}`, { headers: mine })).status).toBe(404);
  });
});
